// A sweep over epsilon: stop it, and know when it has ended.
const of = (event) => event.target.id === "sweep-events" && document.getElementById("sweep");

document.addEventListener("click", (event) => {
  if (!event.target.closest?.('[data-action="stop-sweep"]')) return;
  const events = document.getElementById("sweep-events");
  // The result stays; removing the listening element closes the stream, and the server stops.
  const reached = document.createElement("div");
  reached.id = "sweep-events";
  reached.innerHTML = events.innerHTML;
  htmx.swap({ target: events, swap: "outerHTML", text: reached.outerHTML });
  const sweep = document.getElementById("sweep");
  sweep.dataset.state = "stopped";
  sweep.querySelector(".after button").focus();
});

document.addEventListener("done", (event) => {
  const sweep = of(event);
  if (sweep) sweep.dataset.state = "done";
});

// Refused, for example because another long job of the same user runs: the notice says why.
document.addEventListener("htmx:response:error", ({ detail: { ctx } }) => {
  if (ctx.sourceElement.id !== "sweep-events") return;
  document.getElementById("sweep").dataset.state = "stopped";
  ctx.sourceElement.replaceChildren();
});
