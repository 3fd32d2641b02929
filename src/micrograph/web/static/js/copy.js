// Buttons that copy their `data-copy`. Bound once for the document: pictures and their recipes may
// arrive later.
const said = document.createElement("p");
said.className = "skip";
said.setAttribute("role", "status");
document.body.append(said);

export function reveal(scope = document) {
  for (const button of scope.querySelectorAll("[data-copy], [data-render]")) button.hidden = false;
}

async function write(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  // Without a secure context (a site served to another machine) there is only the old way.
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  try {
    await write(button.dataset.copy);
    button.classList.add("done");
    said.textContent = `${button.textContent} copied`;
  } catch {
    button.classList.add("undone");
    said.textContent = "The browser did not allow copying";
  }
  setTimeout(() => button.classList.remove("done", "undone"), 1600);
});

reveal();
