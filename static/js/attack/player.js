// The steps of an attack on the stage: played slowly enough to see, scrubbed back and forth.
import { replaceUrl } from "../lib/url.js";

const SLOWEST = 450;
const QUICKEST = 110;
const WHOLE = 4000;

const still = matchMedia("(prefers-reduced-motion: reduce)");
const scene = () => document.getElementById("scene");
const out = (name) => scene().querySelector(`[data-out="${name}"]`);
const shots = () => [...document.querySelectorAll("#moments > .moment")];

let stage = null; // the scene these belong to
let at = -1;
let seen = 0;
let goal = -1; // while the steps come and nothing plays: the one to wait for
let playing = false;
let clock = 0;

function enter(found) {
  clearTimeout(clock);
  [stage, at, seen, clock] = [found, -1, 0, 0];
  goal = found.dataset.step ? Number(found.dataset.step) : Infinity;
  playing = !still.matches && !found.dataset.step;
  // The result is not shown before the steps were watched.
  if (playing) delete found.dataset.seen;
}

/** Steps have come, or a whole new stage. */
function arrived() {
  const found = scene();
  if (found !== stage && found) enter(found);
  if (!found || found.dataset.state === "empty") return;
  const all = shots();
  for (const shot of all.slice(seen)) {
    for (const url of [shot.dataset.picture, shot.dataset.noise]) new Image().src = url;
  }
  seen = all.length;
  if (!seen) return;
  const scrub = document.getElementById("scrub");
  scrub.max = seen - 1;
  scene().querySelector('[data-act="flip"]').hidden = !document.querySelector(".moment.flips");
  if (at < 0 && playing) show(0);
  else if (at < Math.min(goal, seen - 1) && !playing) show(Math.min(goal, seen - 1));
  else mark();
  if (playing && !clock) plan();
}

function pace() {
  const steps = stage.dataset.state === "running" ? Number(stage.dataset.planned) : seen - 1;
  return Math.min(SLOWEST, Math.max(QUICKEST, WHOLE / Math.max(1, steps)));
}

function plan() {
  clearTimeout(clock);
  clock = setTimeout(() => {
    clock = 0;
    if (!stage?.isConnected || !playing) return;
    if (at < seen - 1) {
      show(at + 1);
      plan();
    } else if (stage.dataset.state !== "running") pause();
    mark();
  }, pace());
}

function show(number) {
  const all = shots();
  at = Math.min(Math.max(0, number), all.length - 1);
  const { dataset: shot, classList } = all[at];
  const first = all[0].dataset.picture;
  for (const [name, url] of [["original", first], ["over", first], ["picture", shot.picture], ["noise", shot.noise]]) {
    const image = out(name);
    image.hidden = false;
    if (image.getAttribute("src") !== url) image.src = url;
  }
  out("words").textContent = shot.words;
  out("told").textContent = shot.told;
  name(out("was"), all[0], "was");
  name(out("now"), all[at], [...classList].find((one) => one !== "moment" && one !== "flips"));
  bars(all[at].querySelector(".bars").children);
  const scrub = document.getElementById("scrub");
  scrub.value = at;
  scrub.setAttribute("aria-valuetext", shot.words);
  mark();
}

function name(place, shot, kind) {
  const first = shot.querySelector(".chance");
  place.replaceChildren(`${first.querySelector(".name").textContent} `);
  place.appendChild(document.createElement("span")).textContent = first.querySelector(".share").textContent;
  place.className = `named ${kind}`;
}

// While it plays, a class keeps its row and the row moves; otherwise rows lie in their order.
function bars(fresh) {
  const list = out("bars");
  list.classList.toggle("moving", playing);
  if (!playing) return list.replaceChildren(...[...fresh].map((one) => one.cloneNode(true)));
  const rows = new Map([...list.children].map((row) => [row.dataset.class, row]));
  [...fresh].forEach((one, place) => {
    const row = rows.get(one.dataset.class) ?? list.appendChild(one.cloneNode(true));
    rows.delete(one.dataset.class);
    row.className = one.className;
    row.style.setProperty("--place", place);
    row.querySelector(".fill").setAttribute("width", one.querySelector(".fill").getAttribute("width"));
    for (const part of [".share", ".logit"]) row.querySelector(part).textContent = one.querySelector(part).textContent;
  });
  for (const row of rows.values()) row.remove();
}

/** Update what depends on the current step: marks, button, last sentence. */
function mark() {
  shots().forEach((shot, number) => shot.toggleAttribute("data-shown", number === at));
  const last = stage.dataset.state === "done" && at === seen - 1;
  if (last) stage.dataset.at = "end";
  else delete stage.dataset.at;
  if (last || (stage.dataset.state === "done" && !playing)) stage.dataset.seen = "";
  const play = document.getElementById("play");
  play.textContent = playing ? "Pause" : "Play";
  play.toggleAttribute("data-playing", playing);
}

function pause() {
  const moved = playing;
  playing = false;
  clearTimeout(clock);
  clock = 0;
  mark();
  // Once the last rows have arrived they lie in their order, as they are read.
  if (moved) setTimeout(() => { if (!playing && stage.isConnected && at >= 0) bars(shots()[at].querySelector(".bars").children); }, 400);
}

/** The link to what is on screen: the run's own at the end, else with the step's number. */
function link() {
  const url = new URL(location.href);
  if (!url.searchParams.has("run")) return;
  if (at === seen - 1) url.searchParams.delete("step");
  else url.searchParams.set("step", at);
  replaceUrl(url);
}

function go(number) {
  pause();
  goal = number;
  show(number);
  link();
}

export const ACTS = {
  back: () => go(at - 1),
  on: () => go(at + 1),
  first: () => go(0),
  last: () => go(Infinity),
  flip: () => go(shots().findIndex((shot) => shot.classList.contains("flips"))),
  play() {
    goal = -1;
    if (playing) { pause(); return link(); }
    playing = true;
    if (at === seen - 1 && stage.dataset.state !== "running") show(0);
    else mark();
    plan();
  },
};

/** Whether there are steps to move among. */
export const ready = () => seen > 0 && Boolean(stage?.isConnected);

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-act]");
  if (button && ready()) ACTS[button.dataset.act]();
});
document.addEventListener("input", (event) => {
  if (event.target.id !== "scrub" || !ready()) return;
  pause();
  goal = -1;
  show(Number(event.target.value));
});
document.addEventListener("change", (event) => { if (event.target.id === "scrub" && ready()) link(); });

document.addEventListener("layerscope:ended", ({ target }) => {
  if (target !== stage) return;
  if (stage.dataset.state === "stopped" && !seen) out("words").textContent = "It did not run.";
  arrived();
  if (!playing && seen) mark();
});
document.addEventListener("htmx:after:swap", arrived);

// A trace is kept for a while only: once it is gone, the page offers to run it again.
document.addEventListener("error", (event) => {
  if (!event.target.matches?.("#scene .frame img")) return;
  document.getElementById("gone").hidden = false;
}, true);

arrived();
