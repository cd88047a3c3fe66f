// The URL is the state: links say what they change (data-set), the rest of the URL stays.

/** The page's URL with some parameters changed; an empty value takes one away. */
export function changed(set) {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of new URLSearchParams(set)) {
    if (value) query.set(name, value);
    else query.delete(name);
  }
  return `/?${query}`;
}

/** What the URL selects. */
export function selected() {
  const query = new URLSearchParams(location.search);
  return { step: query.get("step"), channel: query.get("channel") };
}

let replacing = false;

/** Show another part in the evidence pane; `replace` leaves no trace in the history. */
export function go(set, { replace = false } = {}) {
  const url = changed(set);
  const how = replace ? { replace: url } : { push: url };
  // The server answers with the part that this header names; htmx.ajax sets it before the target.
  const headers = { "HX-Target": "aside#evidence" };
  return htmx.ajax("GET", url, { target: "#evidence", swap: "innerHTML show:none", headers, ...how });
}

/** Follow a link as a tap would, without a new entry in the history. */
export function follow(link) {
  replacing = true;
  link.click();
  replacing = false;
}

/** One level back: from a map to its step, from a step to nothing. */
export function back() {
  const { step, channel } = selected();
  if (channel !== null) go("channel=&y=&x=");
  else if (step !== null) go("step=");
}

document.addEventListener("htmx:config:request", ({ detail: { ctx } }) => {
  const set = ctx.sourceElement.dataset?.set;
  if (set === undefined) return;
  ctx.request.action = changed(set);
  if (replacing) Object.assign(ctx, { push: "false", replace: "true" });
});
