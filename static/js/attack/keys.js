// By keyboard: move through the steps, stop a run, upload a picture.
import { COMMON, press } from "../press.js";
import { ACTS, ready } from "./player.js";

const STEPS = { " ": "play", ArrowLeft: "back", ArrowRight: "on", Home: "first", End: "last", f: "flip" };
const KEYS = {
  ...COMMON,
  u: press("#upload input[type=file]"),
  Escape: press('#scene[data-state="running"] #stop'),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  // The panels under the result have keys of their own.
  const step = !event.target.closest("#summary .inside") && STEPS[event.key];
  if (event.target.closest("input, select, textarea, dialog, [contenteditable]")) return;
  // Space presses a button, and unfolds what can be folded.
  if (event.key === " " && event.target.closest("button, summary, a")) return;
  if (step === "flip" && !document.querySelector(".moment.flips")) return;
  const act = step ? ready() && ACTS[step] : KEYS[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});
