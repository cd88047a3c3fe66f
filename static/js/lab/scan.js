// The moving window: arrows, play and pause. Every number comes from the server.

const PACE = 900;
const results = document.getElementById("results");
let clock = 0;

const link = (key) => results.querySelector(`a[data-move="${key}"]`);
const button = () => document.getElementById("play");

/** Follow a link of the window; a focus on a number moves along. */
function move(key) {
  const there = link(key);
  if (!there) return false;
  const along = document.activeElement?.closest?.("#results .out a");
  if (along) {
    const after = () => results.querySelector('.out a[aria-current]')?.focus({ preventScroll: true });
    results.addEventListener("htmx:after:swap", after, { once: true });
  }
  there.click();
  return true;
}

function pause() {
  clearTimeout(clock);
  clock = 0;
  show();
}

function show() {
  const play = button();
  if (!play) return;
  play.textContent = clock ? "Pause" : "Play";
  play.toggleAttribute("data-playing", Boolean(clock));
}

// The next step is scheduled when one has arrived, so a slow server is not overloaded.
function plan() {
  clearTimeout(clock);
  clock = setTimeout(() => {
    if (!move("next")) pause();
  }, PACE);
  show();
}

function play() {
  if (clock) return pause();
  (link("next") ?? link("first"))?.click();
  plan();
}

document.addEventListener("click", (event) => {
  if (event.target.closest?.("#play")) play();
  // A user who moves the window stops the playing.
  else if (clock && event.isTrusted && event.target.closest?.("#results a")) pause();
});
document.addEventListener("focusin", (event) => {
  if (clock && event.target.closest("#controls")) pause();
});
// Where the drawing is wider than the screen, the window stays in sight.
function follow() {
  for (const cell of results.querySelectorAll(".window, .here")) {
    const frame = cell.closest(".scroll");
    if (!frame) continue;
    const [inner, outer] = [cell.getBoundingClientRect(), frame.getBoundingClientRect()];
    if (inner.right > outer.right) frame.scrollLeft += inner.right - outer.right + 8;
    if (inner.left < outer.left) frame.scrollLeft -= outer.left - inner.left + 8;
  }
}

document.addEventListener("htmx:after:swap", () => {
  follow();
  if (clock) plan();
});
document.addEventListener("htmx:error", pause);

const TYPING = "input, select, textarea, dialog, audio, video, [contenteditable]";
const scrolls = (target) => target.matches(".scroll") && target.scrollWidth > target.clientWidth;

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest(TYPING)) return;
  if (event.key === "?") return document.getElementById("help").showModal();
  if (event.key === " " && event.target === document.body && button()) play();
  // Up and down scroll the page, unless one is among the numbers.
  else if (/Up|Down/.test(event.key) && !event.target.closest("#results")) return;
  else if (!link(event.key) || scrolls(event.target)) return;
  else { pause(); move(event.key); }
  event.preventDefault();
});
