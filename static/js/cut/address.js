// The panels' state is in the page's URL: written when it changes, and read to open them again.
import { BASE, parameters, replaceUrl } from "../lib/url.js";
import { changed } from "../navigation.js";

const STATE = {
  "/cut/cover": ["cover", "how"],
  "/cut/occlusion": ["patch", "stride", "fill", "of"],
  "/cut/ablation": ["off", "only"],
};
const PANELS = `#evidence details.panel[hx-get^="${BASE}/cut/"]`;
const names = (panel) => STATE[panel.getAttribute("hx-get").slice(BASE.length).split("?")[0]] ?? [];

/** Write to the URL what is on screen, without an entry in the history. */
export const address = (set) => replaceUrl(changed(set));

// A map that a link names is computed when the page opens, not at every unit on the way.
let arriving = true;
for (const type of ["pointerdown", "keydown"]) {
  document.addEventListener(type, () => { arriving = false; }, { capture: true, once: true });
}

function open() {
  // A page holds one stream at a time, and the network's own goes first.
  if (document.querySelector("#stream[data-live]")) return;
  const query = parameters();
  for (const panel of document.querySelectorAll(PANELS)) {
    if (!panel.open && names(panel).some((one) => query.has(one))) panel.open = true;
  }
}
const plan = () => requestAnimationFrame(open);

/** Use only what was swapped in: other panels may be out of date. */
function write({ detail: { ctx } }) {
  const target = ctx?.target;
  const place = target?.isConnected ? target : document.getElementById(target?.id);
  if (place?.closest?.("#evidence details.panel")) tell(place);
  plan();
}

function tell(place) {
  for (const one of [place, ...place.querySelectorAll("[data-address]")]) {
    if (one.dataset.address) address(one.dataset.address);
  }
}

document.addEventListener("htmx:config:request", ({ detail: { ctx } }) => {
  const panel = ctx.sourceElement;
  if (!panel.matches?.(PANELS)) return;
  const query = parameters();
  const url = new URL(ctx.request.action, location.origin);
  const named = names(panel);
  for (const name of [...named, "class"]) if (query.has(name)) url.searchParams.set(name, query.get(name));
  if (arriving && named.includes("patch") && query.has("patch")) url.searchParams.set("start", "true");
  ctx.request.action = url.pathname + url.search;
});

// Folded again, a panel is no longer part of what the link shows.
document.addEventListener("toggle", ({ target }) => {
  if (!target.matches?.(PANELS)) return;
  if (!target.open) address(names(target).map((one) => `${one}=`).join("&"));
  else tell(target);
}, true);

document.addEventListener("htmx:after:swap", write);
document.addEventListener("done", plan);
plan();
