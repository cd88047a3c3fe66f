// Maps: one stop for Tab each, arrows go from number to number and show how it was made.
const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

function stops() {
  for (const map of document.querySelectorAll(".cells")) {
    const all = [...map.querySelectorAll("button")];
    const stop = all.find((one) => one === document.activeElement)
      ?? all.find((one) => one.hasAttribute("aria-current")) ?? all[0];
    for (const one of all) one.tabIndex = one === stop ? 0 : -1;
  }
}

document.addEventListener("keydown", (event) => {
  const button = event.target.closest?.(".cells button");
  const step = STEPS[event.key];
  if (!button || !step) return;
  event.preventDefault();
  const [y, x] = [Number(button.dataset.y) + step[0], Number(button.dataset.x) + step[1]];
  const next = button.closest("table").querySelector(`[data-y="${y}"][data-x="${x}"]`);
  if (!next) return;
  next.focus();
  next.click();
});

if (document.getElementById("xo")) {
  document.addEventListener("htmx:after:swap", stops);
  stops();
}
