// One key to everywhere. The list of keys is in the page itself (keys.html).
import { arrow } from "./grid.js";
import { graphKey } from "./graph.js";
import { switchTheme } from "./theme-switch.js";

const dialog = document.getElementById("keys-help");
const button = document.querySelector("[data-keys]");

function go(rel) {
  const link = document.querySelector(`link[rel="${rel}"]`);
  if (link) location.assign(link.href);
  return Boolean(link);
}

function help() {
  if (dialog.open) dialog.close();
  else dialog.showModal();
}

function press(key) {
  const kind = document.body.dataset.kind;
  if (key === "/") document.querySelector(".search input").select();
  else if (key === "?") help();
  else if (key === "t") switchTheme();
  else if (key === "Escape" || key === "u") return go("up");
  else if (kind === "node" && key === "[") return go("prev");
  else if (kind === "node" && key === "]") return go("next");
  else if (kind === "unit" && key === "ArrowLeft" && !inGrid()) return go("prev");
  else if (kind === "unit" && key === "ArrowRight" && !inGrid()) return go("next");
  else if (kind === "unit" && !inGrid()) return false;
  else return graphKey(key) || arrow(key);
  return true;
}

function inGrid() {
  return Boolean(document.activeElement.closest("[data-grid]"));
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (document.querySelector("dialog[open]")) return;
  if (event.target.closest("input, textarea, select, [contenteditable]")) return;
  if (press(event.key)) event.preventDefault();
});

button.hidden = false;
button.addEventListener("click", help);
dialog.addEventListener("click", (event) => {
  if (event.target === dialog) dialog.close();
});
