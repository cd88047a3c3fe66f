// A long job on the page: stop it, keep what it reached, know when it has ended.

const EVENTS = "#occlusion-events, #ranking-events";
const holder = (events) => events.closest("[data-state]");

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-cut-stop]");
  if (!button) return;
  const place = button.closest("[data-state]");
  const events = place.querySelector(EVENTS);
  // Removing the listening element closes the stream, and the server stops.
  const reached = document.createElement("div");
  reached.id = events.id;
  reached.className = "events";
  reached.innerHTML = events.innerHTML;
  place.dataset.state = "stopped";
  htmx.swap({ target: events, swap: "outerHTML", text: reached.outerHTML });
  place.querySelector(".go-later")?.focus();
});

document.addEventListener("done", ({ target }) => {
  if (!target.matches?.(EVENTS)) return;
  const { done, rows } = target.firstElementChild?.dataset ?? {};
  // An error ends a stream as well: then there is something left to go on with.
  holder(target).dataset.state = target.querySelector("[data-place]") || (rows && done !== rows) ? "stopped" : "done";
  const words = target.querySelector("[data-words], .ranks > p")?.textContent ?? "";
  holder(target).querySelector("[data-cut-status]").textContent = words;
});

// Refused, for example because another page of the same user has a long job: the notice says why.
document.addEventListener("htmx:response:error", ({ detail: { ctx } }) => {
  if (ctx.sourceElement.matches?.(EVENTS)) holder(ctx.sourceElement).dataset.state = "stopped";
});
