// Before anything is painted: light, dark or as the system says; projector mode.
(() => {
  const root = document.documentElement;
  const read = (key) => {
    try { return localStorage.getItem(key); } catch { return null; }
  };
  const theme = read("theme");
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  if (read("projector") === "on") root.dataset.projector = "";
})();
