// A button beside every link marked data-copy: copies what the link leads to, as text. Without it the link still works.
for (const link of document.querySelectorAll("a[data-copy]")) {
  const zh = document.documentElement.lang.startsWith("zh");
  const button = document.createElement("button");
  button.type = "button";
  button.className = "plain";
  button.textContent = zh ? "复制 JSON" : "Copy JSON";
  const said = document.createElement("span");
  said.setAttribute("role", "status");
  said.className = "muted";
  button.addEventListener("click", async () => {
    try {
      const found = await fetch(link.href, { credentials: "same-origin" });
      if (!found.ok) throw new Error(String(found.status));
      await navigator.clipboard.writeText(await found.text());
      said.textContent = zh ? "已复制" : "Copied";
    } catch (error) {
      said.textContent = (zh ? "未能复制：" : "Not copied: ") + error.message;
    }
  });
  link.after(" ", button, " ", said);
}
