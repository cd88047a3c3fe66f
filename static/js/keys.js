// Everything by keyboard: arrows move through maps and steps, Escape goes one level back.
import { COMMON, onKeys, press } from "./press.js";
import { back, go, selected } from "./navigation.js";

const visible = (element) => element.checkVisibility();
const cards = () => [...document.querySelectorAll(".card")].filter(visible);
const maps = (card) => [...card.querySelectorAll(".map[data-channel]")].filter(visible);

function show(map) {
  go(map.dataset.set, { replace: true });
  map.focus({ preventScroll: true });
  map.scrollIntoView({ block: "nearest", inline: "nearest" });
}

function aside(direction) {
  const { step, channel } = selected();
  const all = cards();
  const here = all.findIndex((card) => card.dataset.step === step);
  if (here < 0) return show(maps(all[0])[0]);
  const place = maps(all[here]).findIndex((map) => map.dataset.channel === channel);
  for (let i = here + direction; all[i]; i += direction) {
    const there = maps(all[i]);
    if (!there.length) continue;
    const same = there.find((map) => map.dataset.channel === channel);
    return show(same && all[i].closest(".stage") === all[here].closest(".stage")
      ? same : there[Math.min(Math.max(0, place), there.length - 1)]);
  }
}

function along(direction) {
  const link = document.querySelector(`#evidence [rel="${direction < 0 ? "prev" : "next"}"]`);
  if (link) go(link.dataset.set, { replace: true });
  else if (selected().channel === null) aside(1);
}

/** Deeper into the selected map, or back to it. */
function zoom(depth) {
  if (selected().channel !== null) go(`zoom=${selected().zoom === depth ? "" : depth}&path=`);
}

const KEYS = {
  ...COMMON,
  ArrowUp: () => along(-1),
  ArrowDown: () => along(1),
  ArrowLeft: () => aside(-1),
  ArrowRight: () => aside(1),
  Escape: back,
  a: () => zoom("arithmetic"),
  c: () => zoom("chain"),
  k: press("#evidence :is(.keep, .release)"),
  u: press("#upload input[type=file]"),
};

onKeys(KEYS);

// A click on empty space steps back one level.
document.addEventListener("click", (event) => {
  if (event.target.closest("#river") && !event.target.closest("a, summary, button")) back();
});
