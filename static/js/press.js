// Keyboard actions: not while typing or in a menu, nor with Ctrl, Alt or the command key.
export const press = (selector) => () => document.querySelector(selector)?.click();

export const COMMON = {
  "?": () => document.getElementById("help").showModal(),
  p: press('[data-action="projector"]'),
};

export function onKeys(acts) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, select, textarea, dialog, .menu[open]")) return;
    const act = acts[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
}
