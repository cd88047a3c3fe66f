// The layers' cards: dragged by pointer to another place; by keyboard their buttons do the same.
const cards = () => [...document.querySelectorAll("#cards > .layer-card")];

let drag = null;

function place(event) {
  // Before the first card whose middle the pointer has not passed, line by line.
  const others = cards();
  const at = others.findIndex((card) => {
    const box = card.getBoundingClientRect();
    return event.clientY < box.top || (event.clientY <= box.bottom && event.clientX < box.left + box.width / 2);
  });
  return at < 0 ? others.length : at;
}

function mark(to) {
  const all = cards();
  for (const card of all) card.classList.remove("before", "after");
  if (to === null) return;
  if (all[to]) all[to].classList.add("before");
  else all.at(-1)?.classList.add("after");
}

function finish(keep) {
  const { card, from, to, moved } = drag;
  drag = null;
  card.classList.remove("lifted");
  card.style.transform = "";
  mark(null);
  if (!keep || !moved || to === from || to === from + 1) return;
  const order = cards().map((one) => one.dataset.card);
  const [word] = order.splice(from, 1);
  order.splice(to > from ? to - 1 : to, 0, word);
  document.getElementById("order").value = order.join(",");
  document.getElementById("xo").requestSubmit();
}

document.addEventListener("pointerdown", (event) => {
  const card = event.target.closest?.(".layer-card");
  if (!card || event.button || event.target.closest("button")) return;
  // A finger next to the grip scrolls the page.
  if (event.pointerType === "touch" && !event.target.closest(".grip")) return;
  event.preventDefault();
  const from = cards().indexOf(card);
  drag = { card, from, to: from, x: event.clientX, y: event.clientY, moved: false, id: event.pointerId };
  card.setPointerCapture(event.pointerId);
});
document.addEventListener("pointermove", (event) => {
  if (!drag || event.pointerId !== drag.id) return;
  const [dx, dy] = [event.clientX - drag.x, event.clientY - drag.y];
  drag.moved ||= Math.hypot(dx, dy) > 5;
  if (!drag.moved) return;
  drag.card.classList.add("lifted");
  drag.card.style.transform = "";
  drag.to = place(event);
  drag.card.style.transform = `translate(${dx}px, ${dy}px)`;
  mark(drag.to);
});
document.addEventListener("pointerup", () => { if (drag) finish(true); });
document.addEventListener("pointercancel", () => { if (drag) finish(false); });
document.addEventListener("keydown", (event) => { if (drag && event.key === "Escape") finish(false); });

// The card that was moved keeps the focus, so that it can be moved on.
let follow = null;
document.addEventListener("click", (event) => {
  const button = event.target.closest?.(".layer-card button[data-do]");
  if (!button) return;
  const number = Number(button.closest(".layer-card").dataset.number);
  const shift = { earlier: -1, later: 1 }[button.dataset.do] ?? 0;
  follow = { number: number + shift, what: button.dataset.do };
});
document.addEventListener("htmx:after:swap", () => {
  if (!follow) return;
  const card = cards().find((one) => Number(one.dataset.number) === follow.number) ?? cards().at(-1);
  const same = card?.querySelector(`[data-do="${follow.what}"]:not(:disabled)`);
  (same ?? card?.querySelector("button:not(:disabled)"))?.focus({ preventScroll: true });
  follow = null;
});
