// A sticker dragged, scaled and turned on a picture; one request at a time, the newest wins.
import { BASE, formQuery, replaceUrl } from "../lib/url.js";

const [LEAST, MOST] = [0.1, 0.6];
const STEP = 0.02;
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
const round = (value) => Math.round(value * 1000) / 1000;
const around = (degrees) => ((degrees + 540) % 360) - 180;

let asking = false;
let again = false;

const form = () => document.getElementById("sticker-form");
const field = (name) => form().elements[name];
const number = (name) => Number(field(name).value);

const query = () => formQuery(form());

function place(change) {
  const limits = { x: [0, 1], y: [0, 1], scale: [LEAST, MOST], turn: [-180, 180] };
  for (const [name, value] of Object.entries(change)) {
    const input = field(name);
    // A slider's step would round the finger's value: the exact value is stored next to it.
    input.step = name === "turn" ? "1" : "0.001";
    input.value = String(round(clamp(value, ...limits[name])));
  }
  ring();
  ask();
}

function ring() {
  document.getElementById("sticker-ring").setAttribute(
    "transform",
    `translate(${number("x")} ${number("y")}) rotate(${number("turn")}) scale(${number("scale")})`,
  );
  for (const name of ["x", "y", "scale", "turn"]) {
    const told = form().querySelector(`output[data-for="${name}"] b`);
    if (told) told.textContent = field(name).value;
  }
}

async function ask() {
  if (asking) {
    again = true;
    return;
  }
  asking = true;
  again = false;
  const panel = document.getElementById("sticker-seen");
  const status = document.getElementById("sticker-status");
  panel.dataset.state = "stale";
  try {
    const asked = query();
    const picture = new Image();
    picture.src = `${BASE}/attack/sticker.png?part=sticker&${asked}`;
    const [answer] = await Promise.all([
      fetch(`${BASE}/attack/sticker/seen?${asked}`, { headers: { Accept: "text/html", "HX-Request": "true" } }),
      picture.decode(),
    ]);
    if (!answer.ok) throw new Error(String(answer.status));
    show(panel, await answer.text(), picture.src);
    status.textContent = "";
    if (!again) settle(asked);
  } catch {
    status.textContent = "The answer did not come. Move the sticker to ask again.";
  }
  asking = false;
  if (again && form()) ask();
}

function show(panel, html, url) {
  // Picture and answer change together: the bars are always those of what is shown.
  panel.innerHTML = html;
  document.getElementById("sticker-picture").src = url;
  panel.dataset.state = "ready";
  window.htmx?.process(panel);
}

function settle(asked) {
  if (location.pathname === `${BASE}/attack/sticker`) replaceUrl(`?${asked}`);
  document.getElementById("sticker-status").textContent =
    document.getElementById("sticker-verdict").textContent;
}

// Pointers: one moves or turns, two scale and turn.
const pointers = new Map();
let hold = null;

function at(stage, event) {
  const box = stage.getBoundingClientRect();
  return { x: (event.clientX - box.left) / box.width, y: (event.clientY - box.top) / box.height };
}

function angle(from, to) {
  return (Math.atan2(to.y - from.y, to.x - from.x) * 180) / Math.PI;
}

function grasp(turning) {
  const [a, b] = [...pointers.values()];
  const now = { x: number("x"), y: number("y"), scale: number("scale"), turn: number("turn") };
  if (b) hold = { ...now, kind: "two", apart: Math.hypot(b.x - a.x, b.y - a.y), angle: angle(a, b) };
  else if (a) hold = { ...now, kind: turning ? "turn" : "move", from: a };
  else hold = null;
}

function drag() {
  const [a, b] = [...pointers.values()];
  if (hold.kind === "move") {
    place({ x: hold.x + a.x - hold.from.x, y: hold.y + a.y - hold.from.y });
  } else if (hold.kind === "turn") {
    place({ turn: around(angle(hold, a) + 90) });
  } else if (b) {
    const apart = Math.hypot(b.x - a.x, b.y - a.y) / Math.max(hold.apart, 0.01);
    place({ scale: hold.scale * apart, turn: around(hold.turn + angle(a, b) - hold.angle) });
  }
}

document.addEventListener("pointerdown", (event) => {
  const stage = event.target.closest?.("#sticker-stage");
  if (!stage || event.button > 0) return;
  const turning = event.target.matches(".turner");
  stage.setPointerCapture(event.pointerId);
  stage.classList.add("dragging");
  const point = at(stage, event);
  const far = Math.hypot(point.x - number("x"), point.y - number("y")) > number("scale") / 2;
  pointers.set(event.pointerId, point);
  // A tap next to the sticker moves it there.
  if (far && !turning && pointers.size === 1) place({ x: point.x, y: point.y });
  grasp(turning);
});

document.addEventListener("pointermove", (event) => {
  if (!pointers.has(event.pointerId)) return;
  pointers.set(event.pointerId, at(document.getElementById("sticker-stage"), event));
  drag();
});

for (const kind of ["pointerup", "pointercancel"]) {
  document.addEventListener(kind, (event) => {
    if (!pointers.delete(event.pointerId)) return;
    grasp(false);
    if (!pointers.size) document.getElementById("sticker-stage")?.classList.remove("dragging");
  });
}

document.addEventListener("wheel", (event) => {
  // Only while it is held or has the focus: else the page could not be scrolled past it.
  const stage = event.target.closest?.("#sticker-stage");
  if (!stage || (document.activeElement !== stage && !event.ctrlKey)) return;
  event.preventDefault();
  place({ scale: number("scale") * (event.deltaY < 0 ? 1.05 : 1 / 1.05) });
}, { passive: false });

const KEYS = {
  ArrowLeft: () => ({ x: number("x") - STEP }),
  ArrowRight: () => ({ x: number("x") + STEP }),
  ArrowUp: () => ({ y: number("y") - STEP }),
  ArrowDown: () => ({ y: number("y") + STEP }),
  "+": () => ({ scale: number("scale") + STEP }),
  "=": () => ({ scale: number("scale") + STEP }),
  "-": () => ({ scale: number("scale") - STEP }),
  ",": () => ({ turn: around(number("turn") - 5) }),
  ".": () => ({ turn: around(number("turn") + 5) }),
};

document.addEventListener("keydown", (event) => {
  if (event.target.id !== "sticker-stage" || !KEYS[event.key] || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  event.stopPropagation();
  place(KEYS[event.key]());
}, true);

document.addEventListener("input", (event) => {
  if (!event.target.closest?.("#sticker-form")) return;
  ring();
  ask();
});

document.addEventListener("submit", (event) => {
  if (event.target.id !== "sticker-form") return;
  event.preventDefault();
  ask();
});
