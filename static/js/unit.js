// A map in close-up: the value under the pointer, what a cell sees; a tap pins the cell.
import { pointIn } from "./lib/svg.js";
import { go } from "./navigation.js";
import { format, numbers } from "./numbers.js";

let unit = null;

function open() {
  const pane = document.querySelector(".unit-pane");
  if (pane === unit?.pane) return;
  unit = null;
  showField(null);
  if (!pane?.dataset.values) return;
  const { rows, columns, size, axes, cell, values } = pane.dataset;
  const [y, x] = cell.split(",").map(Number);
  const [across, down] = JSON.parse(axes);
  unit = { pane, rows: +rows, columns: +columns, size: +size, across, down, pinned: [y, x], values: null };
  const mine = unit;
  numbers(values).then((found) => { mine.values = found; });
  show(y, x);
}

/** Input pixels a cell sees along one axis, cut at the edge. */
function span([start, jump, size, last], cell) {
  const first = start + jump * cell;
  return [Math.max(0, first), Math.min(unit.size, last, first + size)];
}

function setBox(rect, [left, right], [top, bottom]) {
  rect.removeAttribute("hidden");
  const box = { x: left, y: top, width: right - left, height: bottom - top };
  for (const [name, value] of Object.entries(box)) rect.setAttribute(name, value);
}

function showField(horizontal, vertical) {
  for (const rect of document.querySelectorAll(".photo .field, .scope .field")) {
    if (horizontal) setBox(rect, horizontal, vertical);
    else if (rect.closest(".photo")) rect.setAttribute("hidden", "");
  }
}

function show(y, x) {
  const { pane, across, down, values, columns } = unit;
  showField(span(across, x), span(down, y));
  const middle = ([start, jump, size], cell) => start + jump * cell + (size - jump) / 2;
  const [left, top] = [middle(across, x), middle(down, y)];
  setBox(pane.querySelector(".cell"), [left, left + across[1]], [top, top + down[1]]);
  const out = (name) => pane.querySelector(`[data-out="${name}"]`);
  out("y").textContent = y;
  out("x").textContent = x;
  if (values) out("value").textContent = format(values[y * columns + x]);
}

/** The cell under a pointer, or null. */
function cellAt(event) {
  const point = pointIn(unit.pane.querySelector(".scope g"), event);
  const at = ([start, jump, size], value, count) => {
    const cell = Math.floor((value - start - (size - jump) / 2) / jump);
    return Math.max(0, Math.min(count - 1, cell));
  };
  return [at(unit.down, point.y, unit.rows), at(unit.across, point.x, unit.columns)];
}

const overScope = (event) => unit && event.target.closest?.(".unit-pane > .overlay .scope");

document.addEventListener("pointermove", (event) => {
  if (overScope(event)) show(...cellAt(event));
});
document.addEventListener("pointerout", (event) => {
  if (overScope(event) && !event.relatedTarget?.closest?.(".scope")) show(...unit.pinned);
});
document.addEventListener("click", (event) => {
  if (!overScope(event)) return;
  const [y, x] = cellAt(event);
  go(`y=${y}&x=${x}`, { replace: true });
});
document.addEventListener("input", (event) => {
  if (event.target.dataset?.action !== "blend") return;
  const share = event.target.value / 100;
  const pane = event.target.closest(".unit-pane");
  pane.querySelector(".map-image").setAttribute("opacity", Math.min(1, share * 1.5));
  pane.querySelector(".scope").style.setProperty("--cover", share);
});

document.addEventListener("htmx:after:swap", open);
open();
