// Sends a file in parts of 1 MiB. What breaks off goes on where it was: the server says how much of the file is there.
const PART = 1 << 20;

async function digest(file) {
  const found = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
  return [...new Uint8Array(found)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function post(address, body) {
  const answer = await fetch(`${address}.json`, {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      Accept: "application/json",
      "X-CSRF-Token": document.querySelector('meta[name="csrf"]').content,
    },
    body: JSON.stringify(body),
  });
  const said = await answer.json();
  if (!answer.ok) throw new Error(said.detail || said.title);
  return said;
}

async function base64(blob) {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(text);
}

async function part(address, upload, file, offset) {
  const data = await base64(file.slice(offset, offset + PART));
  for (let tries = 0; ; tries++) {
    try {
      return await post(`${address}/part`, { upload, offset, data });
    } catch (error) {
      if (!(error instanceof TypeError) || tries >= 5) throw error; // a TypeError: the line is down
      await new Promise((resume) => setTimeout(resume, 500 * 2 ** tries));
    }
  }
}

async function send(form) {
  const address = form.dataset.upload;
  const file = form.querySelector('input[type="file"]').files[0];
  const bar = form.querySelector("progress");
  bar.hidden = false;
  let sent = await post(`${address}/begin`, { name: file.name, size: file.size, sha256: await digest(file) });
  while (!sent.whole) {
    bar.value = sent.offset / file.size;
    sent = await part(address, sent.id, file, sent.offset);
  }
  bar.value = 1;
  form.querySelector("output").textContent = form.dataset.done;
  location.assign(`${form.dataset.next}?upload=${sent.id}`);
}

for (const form of document.querySelectorAll("form[data-upload]")) {
  if (!window.crypto?.subtle) continue; // without https the form sends the file whole
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const output = form.querySelector("output");
    send(form).catch((error) => {
      output.textContent = `${form.dataset.failed}: ${error.message}`;
    });
  });
}
