// A number in the three grids shows its factors and highlights its partners.
import { format } from "./numbers.js";
import { current, grid, name, set } from "./scan.js";

const GRIDS = ["patch", "kernel", "products"];
const ARROWS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

let chosen = [0, 0];

function show(i, j) {
  const { window, pane, element, y, x } = current();
  chosen = [i, j];
  const index = i * window.kernel[1] + j;
  const [row, column, value, weight] = window.cells(window.source, y, x)[index];
  for (const id of GRIDS) {
    grid(id).forEach((one, place) => one.toggleAttribute("data-lit", place === index));
  }
  const given = value === null ? "0 (beyond the edge)" : format(value);
  pane.querySelector('[data-out="factors"]').textContent =
    `${name()}, row ${row}, column ${column}: ${given} × ${format(weight)} = ${format((value ?? 0) * weight)}`;
  const pixel = element.querySelector(".pixel");
  pixel.removeAttribute("hidden");
  set(pixel, { x: column, y: row });
}

const ready = () => current()?.window.complete && !current().window.pool;

function point(event) {
  const cell = event.target.closest?.(".multiply td");
  if (cell && ready()) show(Number(cell.dataset.y), Number(cell.dataset.x));
}
document.addEventListener("pointerover", point);
document.addEventListener("click", point);

document.addEventListener("keydown", (event) => {
  const arrow = event.target.matches?.(".multiply") && ARROWS[event.key];
  if (!arrow || !ready()) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  const [height, width] = current().window.kernel;
  const clamp = (value, count) => Math.max(0, Math.min(count - 1, value));
  show(clamp(chosen[0] + arrow[0], height), clamp(chosen[1] + arrow[1], width));
}, true);
document.addEventListener("focusin", (event) => {
  if (event.target.matches?.(".multiply") && ready()) show(...chosen);
});
document.addEventListener("htmx:after:swap", () => {
  const window = current()?.window;
  if (window && (chosen[0] >= window.kernel[0] || chosen[1] >= window.kernel[1])) chosen = [0, 0];
});
