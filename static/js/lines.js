// Lines between maps: how much a map of one step adds to the strongest cell of one of the next.
import { selected } from "./navigation.js";

const SVG = "http://www.w3.org/2000/svg";

let drawn = { lines: [], places: new Map() };

/** Draw all lines again, and highlight those of the selected map. */
export function draw() {
  const svg = document.querySelector(".lines");
  const stages = document.querySelector(".stages");
  if (!svg || !stages) return;
  svg.setAttribute("width", stages.scrollWidth);
  svg.setAttribute("height", stages.scrollHeight);
  const origin = svg.getBoundingClientRect();
  const places = positions(stages, origin);
  const lines = [...stages.querySelectorAll(".card")].flatMap((card) => linesTo(card, places));
  svg.replaceChildren(...lines.map((line) => line.path));
  drawn = { lines, places };
  light(lines, places);
}

// Hovering previews what selecting would highlight.
document.addEventListener("pointerover", (event) => {
  const map = event.target.closest?.("#river .map[data-channel]");
  if (event.pointerType === "touch" || (!map && !event.target.closest?.("#river"))) return;
  const key = map && `${map.closest(".card").dataset.step} ${map.dataset.channel}`;
  for (const { path, start, end } of drawn.lines) {
    path.classList.toggle("near", key === start || key === end);
  }
});

/** Where each visible map lies: "step channel" -> element and edges. */
function positions(stages, origin) {
  const places = new Map();
  for (const card of stages.querySelectorAll(".card")) {
    for (const map of card.querySelectorAll("[data-channel]")) {
      const box = map.getBoundingClientRect();
      if (!box.width || !map.checkVisibility({ contentVisibilityAuto: true })) continue;
      places.set(`${card.dataset.step} ${map.dataset.channel}`, {
        map,
        left: box.left - origin.left,
        right: box.right - origin.left,
        y: box.top + box.height / 2 - origin.top,
      });
    }
  }
  return places;
}

function linesTo(card, places) {
  const { step, source, links } = card.dataset;
  const made = [];
  for (const [from, to, share] of JSON.parse(links || "[]")) {
    const [start, end] = [`${source} ${from}`, `${step} ${to}`];
    const [a, b] = [places.get(start), places.get(end)];
    if (!a || !b || b.left <= a.right) continue;
    const bend = Math.min(40, (b.left - a.right) / 2);
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", `M${a.right} ${a.y}C${a.right + bend} ${a.y} ${b.left - bend} ${b.y} ${b.left} ${b.y}`);
    path.setAttribute("stroke-width", (0.75 + 5 * Math.min(1, Math.abs(share) * 4)).toFixed(2));
    if (share < 0) path.setAttribute("class", "cool");
    made.push({ path, start, end });
  }
  return made;
}

/** The selected map, the same channel in its stage's other steps, and what feeds or reads them. */
function light(lines, places) {
  const river = document.getElementById("river");
  for (const { map } of places.values()) delete map.dataset.lit;
  const { step, channel } = selected();
  const chosen = step && channel !== null ? family(step, channel) : new Set();
  const shown = [...chosen].filter((key) => places.has(key));
  river.toggleAttribute("data-lit", shown.length > 0);
  for (const key of shown) places.get(key).map.dataset.lit = "";
  for (const { path, start, end } of lines) {
    if (!chosen.has(start) && !chosen.has(end)) continue;
    path.classList.add("lit");
    places.get(start).map.dataset.lit = "";
    places.get(end).map.dataset.lit = "";
  }
}

function family(step, channel) {
  const card = document.querySelector(`.card[data-step="${CSS.escape(step)}"]`);
  const stage = card?.closest(".stage");
  const related = stage && stage.dataset.stage !== "head" ? [...stage.querySelectorAll(".card")] : [card];
  return new Set(related.filter(Boolean).map((one) => `${one.dataset.step} ${channel}`));
}
