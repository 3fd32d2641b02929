// Dark or light: the system's choice until the reader makes one; that one is remembered.
const root = document.documentElement;
const system = matchMedia("(prefers-color-scheme: dark)");
const button = document.querySelector("[data-theme-switch]");

function current() {
  return root.dataset.theme ?? (system.matches ? "dark" : "light");
}

export function switchTheme() {
  const next = current() === "dark" ? "light" : "dark";
  if (next === (system.matches ? "dark" : "light")) {
    delete root.dataset.theme;
    remember(null);
  } else {
    root.dataset.theme = next;
    remember(next);
  }
}

function remember(theme) {
  try {
    if (theme) localStorage.setItem("micrograph-theme", theme);
    else localStorage.removeItem("micrograph-theme");
  } catch { /* no storage: it holds for this page */ }
}

if (button) {
  button.hidden = false;
  button.addEventListener("click", switchTheme);
}
