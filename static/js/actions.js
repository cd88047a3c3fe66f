// Buttons: theme, projector, share, help, dismiss; a menu closes on a click elsewhere.

const root = document.documentElement;

function keep(key, value) {
  try { localStorage.setItem(key, value); } catch { /* a private window keeps nothing */ }
}

let fading = 0;
function toast(text) {
  const place = document.getElementById("toast");
  place.textContent = text;
  clearTimeout(fading);
  fading = setTimeout(() => { place.textContent = ""; }, 6000);
}

const ACTIONS = {
  theme() {
    const dark = root.dataset.theme
      ? root.dataset.theme === "dark"
      : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    keep("theme", root.dataset.theme);
  },
  projector() {
    const on = root.toggleAttribute("data-projector");
    keep("projector", on ? "on" : "off");
    press();
  },
  async share() {
    const expires = document.getElementById("link-expires")?.textContent ?? "";
    try {
      await navigator.clipboard.writeText(location.href);
      toast(`Link copied. ${expires}`);
    } catch {
      toast(`Copy the address from the address bar. ${expires}`);
    }
  },
  help() { document.getElementById("help").showModal(); },
  dismiss() { document.getElementById("notice").replaceChildren(); },
};

function press() {
  const button = document.querySelector('[data-action="projector"]');
  button?.setAttribute("aria-pressed", String(root.hasAttribute("data-projector")));
}

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("button[data-action]");
  if (button) ACTIONS[button.dataset.action]?.();
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
document.addEventListener("keydown", (event) => {
  const menu = document.querySelector("details.menu[open]");
  if (event.key !== "Escape" || !menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});
document.addEventListener("htmx:after:swap", press);
press();
