// The board: press and drag to paint, arrows move, Space toggles. Without JavaScript: checkboxes.
const board = document.getElementById("board");
const SIDE = 9;

const cells = () => [...board.querySelectorAll("input")];
// Looked up, because a finger’s events stay with the cell it came down on.
const under = (x, y) => {
  const found = document.elementFromPoint(x, y);
  return found && board.contains(found) ? found.closest("input") : null;
};

let ink = null;
let last = null;

function paint(cell) {
  if (!cell || cell.checked === ink) return;
  cell.checked = ink;
  board.dispatchEvent(new Event("change", { bubbles: true }));
}

// A fast pointer skips cells: those between two points are painted as well.
function stroke(to) {
  const steps = Math.max(1, Math.ceil(Math.hypot(to.x - last.x, to.y - last.y) / 8));
  for (let i = 1; i <= steps; i += 1) {
    paint(under(last.x + ((to.x - last.x) * i) / steps, last.y + ((to.y - last.y) * i) / steps));
  }
  last = to;
}

function only(cell) {
  for (const one of cells()) one.tabIndex = one === cell ? 0 : -1;
}

function start() {
  only(cells()[0]);

  board.addEventListener("pointerdown", (event) => {
    const cell = event.target.closest("input");
    if (!cell || event.button) return;
    ink = !cell.checked;
    last = { x: event.clientX, y: event.clientY };
    paint(cell);
  });
  board.addEventListener("pointermove", (event) => {
    if (ink === null) return;
    if (event.buttons) stroke({ x: event.clientX, y: event.clientY });
    else ink = null;
  });
  for (const end of ["pointerup", "pointercancel"]) {
    document.addEventListener(end, () => { ink = null; });
  }

  // The press has painted already; a click without one, by key or by a reader, toggles by itself.
  let pressed = false;
  board.addEventListener("pointerdown", () => { pressed = true; }, true);
  board.addEventListener("keydown", () => { pressed = false; }, true);
  board.addEventListener("click", (event) => {
    if (pressed && event.detail) event.preventDefault();
    pressed = false;
  });

  board.addEventListener("keydown", (event) => {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    const cell = event.target.closest("input");
    if (!step || !cell) return;
    event.preventDefault();
    const [y, x] = [Number(cell.dataset.y) + step[0], Number(cell.dataset.x) + step[1]];
    if (y < 0 || x < 0 || y >= SIDE || x >= SIDE) return;
    const next = cells()[SIDE * y + x];
    only(next);
    next.focus();
  });
  board.addEventListener("focusin", (event) => only(event.target));
  document.addEventListener("htmx:after:swap", () => {
    if (!board.querySelector('[tabindex="0"]')) only(cells()[0]);
  });
}

if (board) start();
