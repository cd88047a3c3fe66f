// The brush: paint a mask by pointer, touch or keys; what it does comes from the server, live.
import { pointIn } from "../lib/svg.js";
import { say } from "../notice.js";
import { address } from "./address.js";
import { Mask } from "./mask.js";

const ARROWS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
const QUIET = 350;

let brush = null;

function open() {
  const element = document.querySelector("#evidence .brush");
  if (element === brush?.element) return;
  brush = null;
  if (!element) return;
  const side = Number(element.dataset.side);
  const mask = new Mask(side, element.dataset.mask);
  brush = { element, side, mask, seen: mask.text, undo: [], y: side >> 1, x: side >> 1 };
  draw();
  element.dataset.ready = "";
}

const pick = (name) => brush.element.querySelector(`[name="brush-${name}"]:checked`).value;
const size = () => Number(brush.element.querySelector('[name="brush-size"]').value);
const part = (selector) => brush.element.querySelector(selector);

/** The mask as it is, over the picture as the server last drew it. */
function draw() {
  const { mask, seen, side } = brush;
  const shown = new Mask(side, seen);
  part(".fresh").setAttribute("d", mask.path((y, x) => mask.has(y, x) && !shown.has(y, x)));
  part(".outline").setAttribute("d", mask.outline());
}

/** The cells under the brush at a point, in cells from the top left. */
function under(y, x) {
  const { side } = brush;
  const [radius, round] = [size() / 2, pick("shape") === "round"];
  const cells = [[Math.floor(y), Math.floor(x)]];
  for (let i = 0; i < side; i += 1) {
    for (let j = 0; j < side; j += 1) {
      const [down, across] = [Math.abs(i + 0.5 - y), Math.abs(j + 0.5 - x)];
      if (round ? down * down + across * across < radius * radius : Math.max(down, across) < radius) cells.push([i, j]);
    }
  }
  return cells.filter(([i, j]) => i >= 0 && j >= 0 && i < side && j < side);
}

function tip(y, x) {
  const rect = part(".tip");
  const wide = size();
  rect.removeAttribute("hidden");
  const round = pick("shape") === "round" ? wide / 2 : 0;
  for (const [name, value] of Object.entries({ x: x - wide / 2, y: y - wide / 2, width: wide, height: wide, rx: round })) {
    rect.setAttribute(name, value);
  }
}

/** Remember the mask, so that a whole stroke can be taken back. */
function begin() {
  brush.undo.push(brush.mask.text);
  if (brush.undo.length > 100) brush.undo.shift();
}

function dab(y, x, on) {
  let news = false;
  for (const [i, j] of under(y, x)) news = brush.mask.set(i, j, on) || news;
  if (!news) return;
  draw();
  ask();
}

function become(text) {
  brush.mask = new Mask(brush.side, text);
  draw();
  ask();
}

// One question at a time, and always about the newest mask.
let asking = false;
async function ask() {
  clearTimeout(told);
  if (asking || !brush) return;
  asking = true;
  document.getElementById("covered").toggleAttribute("data-waiting", true);
  let answered = "";
  while (brush && answered !== query()) {
    const [mine, wanted] = [brush, query()];
    if (!await show(mine, wanted)) break;
    answered = wanted;
  }
  asking = false;
  document.getElementById("covered")?.removeAttribute("data-waiting");
  told = setTimeout(tell, QUIET);
}

const query = () => `&cover=${brush.mask.text}&how=${pick("how")}`;

async function show(mine, wanted) {
  const text = mine.mask.text;
  const html = await fetched(mine.element.dataset.live + wanted);
  if (html === null) return false;
  const box = document.createElement("template");
  box.innerHTML = html;
  const result = box.content.querySelector(".covered");
  const sheet = box.content.querySelector(".triple")?.dataset.sheet;
  // Swapped in when its pictures are here: nothing flickers under the brush.
  await Promise.all([result.dataset.picture, sheet].filter(Boolean).map(ready));
  if (brush !== mine || !mine.element.isConnected) return false;
  const place = document.getElementById("covered");
  place.replaceChildren(box.content);
  htmx.process(place);
  part(".pad image").setAttribute("href", result.dataset.picture);
  brush.seen = text;
  draw();
  return true;
}

async function fetched(url) {
  try {
    const response = await fetch(url, { headers: { "HX-Request": "true", Accept: "text/html" } });
    const text = await response.text();
    if (response.ok) return text;
    const words = new DOMParser().parseFromString(text, "text/html").querySelector("p");
    say("This cannot be shown", words?.textContent ?? response.statusText);
  } catch {
    say("No answer", "The server cannot be reached. Is it still running?");
  }
  return null;
}

function ready(url) {
  const image = new Image();
  image.src = url;
  return image.decode().catch(() => {});
}

// Browsers limit how often the address changes: it is updated when the brush rests.
let told = 0;
function tell() {
  const set = document.querySelector("#covered [data-address]")?.dataset.address;
  if (set && brush) address(set);
}

/** Where a pointer is on the pad, in cells. */
function point(event) {
  const { x, y } = pointIn(part(".pad"), event);
  return [y, x];
}
const onPad = (event) => brush && event.target.closest?.(".pad");

let last = null;
document.addEventListener("pointerdown", (event) => {
  if (!onPad(event) || event.button) return;
  event.target.setPointerCapture?.(event.pointerId);
  begin();
  last = point(event);
  tip(...last);
  dab(...last, pick("mode") === "cover");
});
document.addEventListener("pointermove", (event) => {
  if (!onPad(event)) return;
  const here = point(event);
  tip(...here);
  if (!last) return;
  // A fast pointer must leave no gaps.
  const steps = Math.ceil(2 * Math.hypot(here[0] - last[0], here[1] - last[1])) || 1;
  for (let i = 1; i <= steps; i += 1) {
    dab(...last.map((from, axis) => from + ((here[axis] - from) * i) / steps), pick("mode") === "cover");
  }
  last = here;
});
for (const end of ["pointerup", "pointercancel"]) document.addEventListener(end, () => { last = null; });

document.addEventListener("keydown", (event) => {
  if (!brush || !event.target.matches?.(".pad") || event.ctrlKey || event.metaKey || event.altKey) return;
  const arrow = ARROWS[event.key];
  const paints = { " ": true, Enter: true, Delete: false, Backspace: false }[event.key];
  if (!arrow && paints === undefined) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  const clamp = (value) => Math.max(0, Math.min(brush.side - 1, value));
  if (arrow) [brush.y, brush.x] = [clamp(brush.y + arrow[0]), clamp(brush.x + arrow[1])];
  const middle = [brush.y + 0.5, brush.x + 0.5];
  tip(...middle);
  if (!arrow) {
    begin();
    dab(...middle, paints && pick("mode") === "cover");
  }
  const covered = brush.mask.has(brush.y, brush.x) ? "covered" : "not covered";
  part("#brush-at").textContent = `Row ${brush.y}, column ${brush.x}: ${covered}.`;
}, true);

document.addEventListener("click", (event) => {
  const button = brush && event.target.closest?.(".brush button");
  if (!button) return;
  if (button.dataset.brush === "undo") return brush.undo.length ? become(brush.undo.pop()) : null;
  begin();
  become(button.dataset.preset ?? "");
});
document.addEventListener("input", (event) => {
  if (!brush || !event.target.closest?.(".brush")) return;
  if (event.target.name === "brush-how") ask();
});
document.addEventListener("htmx:after:swap", open);
open();
