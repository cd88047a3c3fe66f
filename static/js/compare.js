// The comparison's keys: the pair before and after, swapping the sides. Links do the rest.
import "./actions.js";

const KEYS = {
  ArrowUp: '[rel="prev"]',
  ArrowDown: '[rel="next"]',
  s: "#swap",
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, select, textarea, dialog")) return;
  if (event.key === "?") document.getElementById("help").showModal();
  else if (event.key === "p") document.querySelector('[data-action="projector"]').click();
  else {
    const link = KEYS[event.key] && document.querySelector(`#compare ${KEYS[event.key]}`);
    if (!link) return;
    event.preventDefault();
    link.click();
  }
});

// What is open stays open while what is inside it changes.
document.addEventListener("htmx:before:swap", () => {
  const open = [...document.querySelectorAll("#compare details[open]")].map((one) => one.id);
  document.addEventListener("htmx:after:swap", () => {
    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  }, { once: true });
});
