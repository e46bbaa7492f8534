// Long series with zoom: every <figure data-series="address of a JSON model"> gets a uPlot in place of its picture.
// The model has `times` (seconds, UTC), `unit`, `zone` and `lines` [{name: {zh, en}, values}] (pages/load). Without this
// module, and on paper, the picture drawn by the server stays.
const own = document.querySelector("script[data-library]");
const { default: uPlot } = await import(own.dataset.library);
const language = document.documentElement.lang.startsWith("zh") ? "zh" : "en";
const HEIGHT = 340;

function colour(name, otherwise) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim() || otherwise;
}

function options(model, width) {
  const axis = { stroke: colour("--soft", "#555"), grid: { stroke: colour("--line", "#ddd"), width: 1 }, ticks: { stroke: colour("--line", "#ddd"), width: 1 } };
  return {
    width, height: HEIGHT,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1e3), model.zone),
    scales: { x: { time: true } },
    axes: [{ ...axis }, { ...axis, label: model.unit, size: 72, values: (_, ticks) => ticks.map((tick) => tick.toLocaleString(language)) }],
    series: [
      { label: language === "zh" ? "时间" : "time" },
      ...model.lines.map((line, index) => ({
        label: line.name[language], stroke: colour(`--chart-series-${index + 1}`, "#0077bb"), width: 1.2, spanGaps: false, points: { show: false },
        value: (_, value) => (value == null ? "—" : value.toLocaleString(language, { maximumFractionDigits: 1 })),
      })),
    ],
    cursor: { drag: { x: true, y: false, uni: 10 } },
    hooks: { ready: [interactive], setScale: [(plot, key) => key === "x" && shown(plot, model)] },
  };
}

// What is shown, in words: from when to when, and the highest value there; with a link to the figures of those days.
function shown(plot, model) {
  const caption = plot.root.closest("figure")?.querySelector("[data-span]");
  if (!caption) return;
  const times = plot.data[0], { min, max } = plot.scales.x;
  const whole = min <= times[0] && max >= times[times.length - 1];
  caption.hidden = whole;
  if (whole) return;
  let highest = null;
  for (let at = 0; at < times.length; at += 1) {
    const value = plot.data[1][at];
    if (times[at] >= min && times[at] <= max && value != null && (highest === null || value > highest)) highest = value;
  }
  const clock = new Intl.DateTimeFormat("sv-SE", { timeZone: model.zone, dateStyle: "short", timeStyle: "short" });
  const [from, to] = [min, max].map((seconds) => clock.format(new Date(seconds * 1e3)));
  const most = highest === null ? "—" : `${highest.toLocaleString(language, { maximumFractionDigits: 1 })} ${model.unit}`;
  caption.querySelector("output").textContent = `${from} – ${to}: ${language === "zh" ? "最高" : "at most"} ${most}`;
  const address = new URL(window.location);
  address.searchParams.set("period", `${from.slice(0, 10)}..${to.slice(0, 10)}`);
  caption.querySelector("a").href = address.pathname + address.search;
}

// The span [low, high] kept inside the data; all of it when it would be wider.
function show(plot, low, high) {
  const times = plot.data[0];
  const first = times[0], last = times[times.length - 1];
  const size = Math.min(high - low, last - first);
  const from = Math.min(Math.max(low, first), last - size);
  plot.setScale("x", { min: from, max: from + size });
}

function zoom(plot, factor, centre) {
  const { min, max } = plot.scales.x;
  const at = centre ?? (min + max) / 2;
  show(plot, at - (at - min) * factor, at + (max - at) * factor);
}

function pan(plot, share) {
  const { min, max } = plot.scales.x;
  show(plot, min + (max - min) * share, max + (max - min) * share);
}

function interactive(plot) {
  const over = plot.over;
  over.addEventListener("wheel", (event) => {
    event.preventDefault();
    zoom(plot, event.deltaY < 0 ? 0.75 : 1 / 0.75, plot.posToVal(event.offsetX, "x"));
  }, { passive: false });
  over.addEventListener("mousedown", (event) => {
    if (!event.shiftKey) return;
    event.stopImmediatePropagation();
    const start = event.clientX;
    const { min, max } = plot.scales.x;
    const perPixel = (max - min) / over.clientWidth;
    const move = (moved) => show(plot, min - (moved.clientX - start) * perPixel, max - (moved.clientX - start) * perPixel);
    document.addEventListener("mousemove", move);
    document.addEventListener("mouseup", () => document.removeEventListener("mousemove", move), { once: true });
  }, { capture: true });
  const root = plot.root;
  root.tabIndex = 0;
  root.setAttribute("role", "application");
  root.addEventListener("keydown", (event) => {
    const act = { "+": () => zoom(plot, 0.5), "=": () => zoom(plot, 0.5), "-": () => zoom(plot, 2), ArrowLeft: () => pan(plot, -0.25), ArrowRight: () => pan(plot, 0.25), 0: () => show(plot, plot.data[0][0], plot.data[0].at(-1)) }[event.key];
    if (act) {
      event.preventDefault();
      act();
    }
  });
}

async function draw(figure) {
  const answer = await fetch(figure.dataset.series, { credentials: "same-origin", headers: { accept: "application/json" } });
  if (!answer.ok) return;
  const model = await answer.json();
  const picture = figure.querySelector("svg");
  const caption = figure.querySelector("figcaption");
  const place = document.createElement("div");
  place.className = "no-print";
  figure.insertBefore(place, caption);
  const plot = new uPlot(options(model, figure.clientWidth - 26), [model.times, ...model.lines.map((line) => line.values)], place);
  plot.root.setAttribute("aria-label", picture?.querySelector("desc")?.textContent ?? "");
  picture?.classList.add("print-only");
  new ResizeObserver(() => plot.setSize({ width: Math.max(240, figure.clientWidth - 26), height: HEIGHT })).observe(figure);
  figure.dataset.drawn = "yes";
}

for (const figure of document.querySelectorAll("figure[data-series]")) draw(figure);
