// Loaded before the first paint: the remembered theme, and that there are scripts, so that nothing
// flashes.
(() => {
  document.documentElement.dataset.scripts = "";
  try {
    const theme = localStorage.getItem("micrograph-theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch { /* no storage: the system decides */ }
})();
