// The walk by keyboard: arrows to the layer before or after, numbers to that layer.
import "./actions.js";

// What grows while it is measured keeps open what one has opened.
const opened = () => [...document.querySelectorAll("#walk details[open]")].map(({ id }) => id);
let kept = [];
document.addEventListener("htmx:before:swap", () => { kept = opened(); });
document.addEventListener("htmx:after:swap", () => {
  for (const id of kept) document.getElementById(id)?.setAttribute("open", "");
});

const follow = (selector) => () => document.querySelector(selector)?.click();

const KEYS = {
  ArrowLeft: follow('#walk [rel="prev"]'),
  ArrowRight: follow('#walk [rel="next"]'),
  "?": () => document.getElementById("help").showModal(),
  p: follow('[data-action="projector"]'),
};
for (const layer of "12345") KEYS[layer] = follow(`#walk a[data-layer="${layer}"]`);

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, select, textarea, dialog, .menu[open]")) return;
  const act = KEYS[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});
