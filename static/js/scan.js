// The window slides: play, step, drag; every shown cell is sliced from numbers that are here.
// Where it stops the server is asked, so that the final numbers are the server's.
import { pointIn } from "./lib/svg.js";
import { go } from "./navigation.js";
import { compact, format, heat } from "./numbers.js";
import { Window } from "./window.js";

const RATES = [1, 2, 4, 8, 16, 32, 64, 120];

let scan = null;

/** The scan on screen, with its window and cell; null where there is none. */
export const current = () => scan;

function open() {
  const element = document.querySelector(".deep-pane .scan");
  if (element === scan?.element) return;
  const speed = scan?.speed;
  stop();
  scan = null;
  if (!element) return;
  const pane = element.closest(".deep-pane");
  const [y, x] = pane.dataset.cell.split(",").map(Number);
  scan = { element, pane, window: new Window(element), y, x, playing: false, speed: speed ?? 3 };
  if (speed !== undefined) pane.querySelector("[data-scan-speed]").value = speed;
  const mine = scan;
  // Waits for the promise, not a fixed time: a phone may need seconds for the numbers.
  scan.window.ready.then(() => { if (scan === mine) pane.dataset.numbers = "here"; });
}

const cells = () => scan.window.shape[0] * scan.window.shape[1];
const place = () => scan.y * scan.window.shape[1] + scan.x;

/** Move to a cell; numbers follow as soon as they are here. */
function move(y, x) {
  const { window, element, pane } = scan;
  scan.y = Math.max(0, Math.min(window.shape[0] - 1, y));
  scan.x = Math.max(0, Math.min(window.shape[1] - 1, x));
  const [top, left] = window.start(scan.y, scan.x);
  set(element.querySelector(".field"), { x: left, y: top });
  set(element.querySelector(".cell"), { x: scan.x, y: scan.y });
  set(element.querySelector(".scan-out"), {
    "aria-valuenow": place(), "aria-valuetext": `row ${scan.y}, column ${scan.x}`,
  });
  write(pane, "y", scan.y);
  write(pane, "x", scan.x);
  if (window.complete) fill();
}

const moveTo = (index) => move(Math.floor(index / scan.window.shape[1]), index % scan.window.shape[1]);

export function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
}

function write(pane, name, text) {
  for (const out of pane.querySelectorAll(`[data-out="${name}"]`)) out.textContent = text;
}

function fill() {
  const { window, pane, y, x } = scan;
  const found = window.cells(window.source, y, x);
  write(pane, "value", format(window.value(y, x)));
  if (window.pool) return fillWindow(found);
  paint("patch", found.map(([, , value]) => value ?? 0), found);
  paint("kernel", found.map(([, , , weight]) => weight));
  paint("products", found.map(([, , value, weight]) => (value ?? 0) * weight), found);
  const adds = window.sum(window.source, y, x);
  const factors = pane.querySelector('[data-out="factors"]');
  factors.textContent = `${name()} adds ${format(adds)}.`;
  fillSums();
}

/** What the input map looked at is called. */
export const name = () => scan.pane.querySelector(".sums tr[aria-current] th").textContent;

/** The first in reading order wins, as in the network. */
function fillWindow(found) {
  const values = found.map(([, , value]) => value);
  paint("patch", values);
  const best = values.reduce((at, value, i) => (value !== null && (at < 0 || value > values[at]) ? i : at), -1);
  grid("patch").forEach((cell, i) => cell.classList.toggle("winner", i === best));
}

/** The cells of one of the grids. */
export const grid = (id) => scan.pane.querySelectorAll(`[data-grid="${id}"] td`);

function paint(id, values, found) {
  const limit = Math.max(...values.map((value) => Math.abs(value ?? 0)));
  const written = !scan.pane.querySelector(".multiply.tight");
  const [text, unit] = scan.window.pool ? [format, ""] : compact(limit);
  if (written) scan.pane.querySelector(`[data-unit="${id}"]`)?.replaceChildren(unit);
  grid(id).forEach((cell, i) => {
    cell.className = heat(values[i], limit);
    if (found && found[i][2] === null) cell.classList.add("pad");
    if (written) cell.textContent = values[i] === null ? "" : text(values[i]);
  });
}

/** What each listed map adds here; without their numbers the list waits for the server. */
function fillSums() {
  const { window, pane, y, x } = scan;
  const list = pane.querySelector(".sums");
  if (!window.every) return list.toggleAttribute("data-pending", true);
  const rows = [...list.querySelectorAll("tr[data-input]")];
  const sums = rows.map((row) => window.sum(Number(row.dataset.input), y, x));
  const most = Math.max(...sums.map(Math.abs)) || 1;
  rows.forEach((row, i) => {
    row.lastElementChild.textContent = format(sums[i]);
    const meter = row.querySelector(".meter");
    meter.setAttribute("class", `meter ${sums[i] >= 0 ? "warm" : "cool"}`);
    meter.querySelector(".fill").setAttribute("width", ((100 * Math.abs(sums[i])) / most).toFixed(2));
  });
  write(pane, "sum", format(sums.reduce((sum, one) => sum + one, 0)));
}

/** The output fills in up to the window. */
function reveal(all) {
  const [rows, columns] = scan.window.shape;
  const { y, x } = scan;
  const path = all
    ? `M0 0H${columns}V${rows}H0z`
    : `M0 0H${columns}V${y}H0z M0 ${y}H${x + 1}V${y + 1}H0z`;
  scan.element.querySelector("#seen path").setAttribute("d", path);
}

function play() {
  scan.playing = true;
  press(true);
  if (place() === cells() - 1) moveTo(0);
  let last = performance.now();
  let owed = 0;
  const frame = (now) => {
    if (!scan?.playing) return;
    owed += ((now - last) / 1000) * RATES[scan.speed];
    last = now;
    const steps = Math.floor(owed);
    owed -= steps;
    if (steps) moveTo(Math.min(cells() - 1, place() + steps));
    reveal(false);
    if (place() < cells() - 1) requestAnimationFrame(frame);
    else rest();
  };
  requestAnimationFrame(frame);
}

const press = (on) => scan.pane.querySelector('[data-scan-do="play"]').setAttribute("aria-pressed", on);

function stop() {
  if (!scan?.playing) return;
  scan.playing = false;
  press(false);
}

/** The window stops here: load the server's words and sums for this cell. */
function rest() {
  stop();
  const { y, x } = scan;
  const focused = document.activeElement?.dataset?.scanDo ?? document.activeElement?.classList?.contains("scan-out");
  go(`y=${y}&x=${x}`, { replace: true }).then(() => refocus(focused));
}

function refocus(focused) {
  if (!focused) return;
  const again = focused === true ? ".scan-out" : `[data-scan-do="${focused}"]`;
  document.querySelector(`.deep-pane ${again}`)?.focus({ preventScroll: true });
}

const DO = {
  play() {
    if (scan.playing) rest();
    else play();
  },
  next() { step(1); },
  back() { step(-1); },
  first() { stop(); moveTo(0); reveal(false); rest(); },
};

function step(by) {
  stop();
  moveTo(Math.max(0, Math.min(cells() - 1, place() + by)));
  reveal(false);
  settle();
}

// Held arrow keys and quick taps ask the server once, at the end.
let settling = 0;
function settle() {
  clearTimeout(settling);
  settling = setTimeout(() => { if (scan && !scan.playing) rest(); }, 180);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-scan-do]");
  if (button && scan) DO[button.dataset.scanDo]();
});
document.addEventListener("input", (event) => {
  if (scan && event.target.matches?.("[data-scan-speed]")) scan.speed = Number(event.target.value);
});

const ARROWS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
document.addEventListener("keydown", (event) => {
  if (!scan || event.ctrlKey || event.metaKey || event.altKey) return;
  const arrow = event.target.matches?.(".scan-out") && ARROWS[event.key];
  const space = event.key === " " && event.target.matches?.(".scan-out, body");
  if (!arrow && !space) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  if (space) return DO.play();
  stop();
  move(scan.y + arrow[0], scan.x + arrow[1]);
  settle();
}, true);

/** Drag on the output picks its cell, drag on the input centres the window there. */
function follow(event) {
  const output = event.target.closest?.(".scan-out");
  const { window, element } = scan;
  if (output) {
    const { x, y } = pointIn(output, event);
    return move(Math.floor(y), Math.floor(x));
  }
  const { x, y } = pointIn(element.querySelector(".scan-in"), event);
  const cell = (at, axis) =>
    Math.round((at + window.padding[axis] - window.kernel[axis] / 2) / window.stride[axis]);
  return move(cell(y, 0), cell(x, 1));
}

let dragging = false;
const onScan = (event) => scan && event.target.closest?.(".scan svg");
document.addEventListener("pointerdown", (event) => {
  if (!onScan(event) || event.button) return;
  dragging = true;
  stop();
  reveal(true);
  event.target.setPointerCapture?.(event.pointerId);
  follow(event);
});
document.addEventListener("pointermove", (event) => {
  if (!onScan(event)) return;
  // Hovering the output jumps there too; the input asks for a press, so that it can be looked at.
  if (dragging || (event.pointerType === "mouse" && event.target.closest(".scan-out") && !scan.playing)) {
    hovered = !dragging;
    follow(event);
  }
});
document.addEventListener("pointerup", () => {
  if (!dragging) return;
  dragging = false;
  hovered = false;
  if (scan) rest();
});
let hovered = false;
document.addEventListener("pointerout", (event) => {
  if (!scan || !hovered || !event.target.closest?.(".scan-out")) return;
  if (event.relatedTarget?.closest?.(".scan-out")) return;
  // It was only hovered: back to the pinned cell.
  hovered = false;
  const [y, x] = scan.pane.dataset.cell.split(",").map(Number);
  move(y, x);
  scan.pane.querySelector(".sums")?.removeAttribute("data-pending");
});

document.addEventListener("htmx:after:swap", open);
open();
