// Loaded before the first paint: the remembered theme, so that nothing flashes.
(() => {
  try {
    const theme = localStorage.getItem("micrograph-theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch { /* no storage: the system decides */ }
})();
