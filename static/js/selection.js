// Which map, step, picture and scale the URL selects: marked wherever they are shown.
import { parameters } from "./lib/url.js";
import { selected } from "./navigation.js";

let last = "";

export function mark() {
  const { step, channel } = selected();
  const moved = last !== `${step} ${channel}`;
  last = `${step} ${channel}`;
  for (const card of document.querySelectorAll(".card")) {
    const here = card.dataset.step === step;
    card.toggleAttribute("data-current", here);
    if (here && moved) card.scrollIntoView({ block: "nearest", inline: "nearest" });
    for (const map of card.querySelectorAll("[data-channel]")) {
      if (here && map.dataset.channel === channel) {
        map.setAttribute("aria-current", "true");
      } else map.removeAttribute("aria-current");
    }
  }
  const image = document.getElementById("stream").dataset.image;
  for (const link of document.querySelectorAll("#gallery a[data-image]")) {
    if (link.dataset.image === image) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
  const scale = parameters().get("scale") ?? "";
  for (const link of document.querySelectorAll("#scales a")) {
    if (link.dataset.set === `scale=${scale}`) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
  document.dispatchEvent(new CustomEvent("layerscope:selected"));
}

// Eighteen cards may arrive in one frame: mark them once.
let planned = 0;
function plan() {
  cancelAnimationFrame(planned);
  planned = requestAnimationFrame(mark);
}

document.addEventListener("htmx:after:swap", plan);
document.addEventListener("htmx:after:history:update", plan);
mark();
