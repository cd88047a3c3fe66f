// The river's state: stale while new results are loading; a busy server is asked again.
import "./lib/streams.js";
import { draw } from "./lines.js";
import { say } from "./notice.js";

const cards = () => document.querySelectorAll(".card");

function mark(from, to) {
  for (const card of cards()) if (card.dataset.state === from) card.dataset.state = to;
}

const concerns = (ctx) => ctx?.target?.id === "stream";

document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
  if (concerns(ctx) && ctx.sourceElement.id !== "stream") mark("ready", "stale");
});

// A refused picture or a lost connection changes nothing: the old results are still true.
document.addEventListener("htmx:response:error", ({ detail: { ctx } }) => {
  if (ctx.sourceElement.id === "stream") retry(ctx);
  else if (concerns(ctx)) mark("stale", "ready");
});
document.addEventListener("htmx:error", ({ detail: { ctx } }) => {
  if (!ctx || !concerns(ctx)) return;
  mark("stale", "ready");
  if (ctx.status?.includes("Abort")) return;
  say("No answer", "The server cannot be reached. Is it still running?");
});

let tries = 0;
function retry(ctx) {
  if (ctx.response.status !== 503 || ++tries > 5) return;
  const seconds = Number(ctx.response.headers.get("retry-after")) || 2;
  setTimeout(() => {
    const stream = document.getElementById("stream");
    const again = stream.cloneNode();
    again.removeAttribute("data-htmx-powered");
    stream.replaceWith(again);
    htmx.process(again);
  }, seconds * 1000);
}

document.addEventListener("done", ({ target }) => {
  if (target.id !== "stream") return;
  tries = 0;
  document.getElementById("stream")?.removeAttribute("data-live");
});

// Lines follow the cards wherever they go.
let planned = 0;
function plan() {
  cancelAnimationFrame(planned);
  planned = requestAnimationFrame(draw);
}
document.addEventListener("htmx:after:swap", plan);
document.addEventListener("toggle", plan, true);
new ResizeObserver(plan).observe(document.getElementById("river"));
document.addEventListener("layerscope:selected", plan);
plan();
