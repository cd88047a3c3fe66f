// The walk by keyboard: arrows to the layer before or after, numbers to that layer.
import "./actions.js";
import { COMMON, onKeys, press } from "./press.js";

// While it is measured the page is redrawn: keep open what the user has opened.
const opened = () => [...document.querySelectorAll("#walk details[open]")].map(({ id }) => id);
let kept = [];
document.addEventListener("htmx:before:swap", () => { kept = opened(); });
document.addEventListener("htmx:after:swap", () => {
  for (const id of kept) document.getElementById(id)?.setAttribute("open", "");
});

const KEYS = {
  ...COMMON,
  ArrowLeft: press('#walk [rel="prev"]'),
  ArrowRight: press('#walk [rel="next"]'),
};
for (const layer of "12345") KEYS[layer] = press(`#walk a[data-layer="${layer}"]`);

onKeys(KEYS);
