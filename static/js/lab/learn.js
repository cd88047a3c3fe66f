// A learning run: stop it, and know when it has ended.
const panel = () => document.getElementById("learning");

document.addEventListener("click", (event) => {
  if (!event.target.closest?.('[data-action="stop-learning"]')) return;
  const events = document.getElementById("learn-events");
  // The result stays; removing the listening element closes the stream, and the server stops.
  const reached = document.createElement("div");
  reached.id = "learn-events";
  reached.innerHTML = events.innerHTML;
  panel().dataset.state = "stopped";
  htmx.swap({ target: events, swap: "outerHTML", text: reached.outerHTML });
  document.getElementById("learn").focus();
});

document.addEventListener("done", (event) => {
  if (event.target.id === "learn-events") panel().dataset.state = "done";
});

// Refused, for example because another page of the same user learns: the notice says why.
document.addEventListener("htmx:response:error", ({ detail: { ctx } }) => {
  if (ctx.sourceElement.id === "learn-events") document.getElementById("learn-panel").replaceChildren();
});

document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  if (ctx?.sourceElement?.id === "learn") panel()?.closest(".learn").scrollIntoView({ block: "nearest" });
});
