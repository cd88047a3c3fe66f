// The URL is the state: links say what they change (data-set), the rest of the URL stays.
import { BASE, parameters } from "./lib/url.js";

const UNIT = ["model", "image", "step", "channel"];
const CELL = [...UNIT, "y", "x"];
const MADE = ["model", "step", "channel"];

/** The page's URL with some parameters changed; an empty value takes one away. */
export function changed(set) {
  const query = parameters();
  const changes = new URLSearchParams(set);
  // What was chosen inside one cell is not valid in another; without a unit there is no zoom.
  for (const [name, of] of [["path", CELL], ["source", UNIT], ["made", MADE]]) {
    if (of.some((one) => changes.has(one)) && !changes.has(name)) query.delete(name);
  }
  // Channels that are off belong to a step, a class to a network.
  for (const [names, of] of [[["off", "only"], ["model", "step"]], [["class"], ["model"]]]) {
    const moved = of.some((one) => changes.has(one) && changes.get(one) !== (query.get(one) ?? ""));
    for (const name of names) if (moved && !changes.has(name)) query.delete(name);
  }
  for (const [name, value] of changes) {
    if (value) query.set(name, value);
    else query.delete(name);
  }
  if (!query.has("channel")) query.delete("zoom");
  return `${BASE}/?${query}`;
}

/** What the URL selects. */
export function selected() {
  const query = parameters();
  return { step: query.get("step"), channel: query.get("channel"), zoom: query.get("zoom") };
}

/** Show another part in the evidence pane; `replace` adds no entry to the history. */
export function go(set, { replace = false } = {}) {
  const url = changed(set);
  // The server answers with the part that this header names; htmx.ajax sets it before the target.
  const headers = { "HX-Target": "aside#evidence" };
  const how = replace ? { replace: url } : { push: url };
  const swap = "innerHTML show:none";
  return htmx.ajax("GET", url, { source: "#evidence", target: "#evidence", swap, headers, ...how });
}

// One listener for all maps and steps, instead of two hundred.
document.addEventListener("click", (event) => {
  const link = event.target.closest?.(":is(#river, #evidence) a[data-set]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  go(link.dataset.set);
});

// Another network for what is on screen now, not for what was when its menu was drawn.
document.addEventListener("click", (event) => {
  const link = event.target.closest?.(".network a[data-set]");
  if (link) link.href = changed(link.dataset.set);
});

/** One level back: from a cell's arithmetic to its map, to its step, to nothing. */
export function back() {
  const { step, channel, zoom } = selected();
  if (zoom !== null) go("zoom=&source=&path=");
  else if (channel !== null) go("channel=&y=&x=");
  else if (step !== null) go("step=");
}

document.addEventListener("htmx:config:request", ({ detail: { ctx } }) => {
  const set = ctx.sourceElement.dataset?.set;
  if (set !== undefined) ctx.request.action = changed(set);
  // A form that was drawn for another picture sends the one on screen now.
  if (ctx.sourceElement.elements?.shown) {
    ctx.request.body.set("shown", document.getElementById("stream").dataset.image);
  }
});
