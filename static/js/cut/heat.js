// An occlusion map under the pointer: where the patch lies and what it costs there.
import { pointIn } from "../lib/svg.js";
import { format } from "../numbers.js";

const ARROWS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
const share = (value) => `${(100 * Math.abs(value)).toFixed(1)} points`;

/** Show a place; only rows that are there can be looked at. */
function show(heat, y, x) {
  const { drops, columns, patch, done } = heat.dataset;
  if (!Number(done)) return;
  y = Math.max(0, Math.min(Number(done) - 1, y));
  x = Math.max(0, Math.min(Number(columns) - 1, x));
  const [side, stride] = patch.split(",").map(Number);
  const drop = JSON.parse(drops)[y][x];
  const size = "percent" in heat.dataset ? share(drop) : format(Math.abs(drop));
  const does = drop > 0 ? `drops by ${size}` : drop < 0 ? `rises by ${size}` : "stays as it is";
  const end = (at) => Math.min(Number(heat.dataset.size), at * stride + side) - 1;
  const words = `Patch over pixel rows ${y * stride}–${end(y)}, columns ${x * stride}–${end(x)}: it ${does}.`;
  heat.dataset.at = `${y},${x}`;
  const rect = heat.querySelector(".laid");
  rect.removeAttribute("hidden");
  rect.setAttribute("x", x * stride);
  rect.setAttribute("y", y * stride);
  heat.querySelector("[data-drop]").textContent = words;
  const svg = heat.querySelector(".heat-map");
  svg.setAttribute("aria-valuenow", y * Number(columns) + x);
  svg.setAttribute("aria-valuetext", words);
}

const at = (heat) => heat.dataset.at.split(",").map(Number);

function follow(event) {
  const svg = event.target.closest?.(".heat-map");
  if (!svg) return;
  const heat = svg.closest(".heat");
  const point = pointIn(svg.querySelector("g"), event);
  const [side, stride] = heat.dataset.patch.split(",").map(Number);
  const cell = (value) => Math.round((value - side / 2) / stride);
  show(heat, cell(point.y), cell(point.x));
}
document.addEventListener("pointermove", follow);
document.addEventListener("pointerdown", follow);

document.addEventListener("keydown", (event) => {
  const arrow = event.target.matches?.(".heat-map") && ARROWS[event.key];
  if (!arrow || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  const heat = event.target.closest(".heat");
  const [y, x] = at(heat);
  show(heat, y + arrow[0], x + arrow[1]);
}, true);

function first() {
  const heat = document.querySelector(".heat");
  if (heat && !heat.querySelector("[data-drop]").textContent) show(heat, ...at(heat));
}
document.addEventListener("htmx:after:swap", first);
first();
