// Which map, step, picture and scale the URL selects: marked wherever they are shown.
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
  document.dispatchEvent(new CustomEvent("layerscope:selected"));
}

document.addEventListener("htmx:after:swap", mark);
document.addEventListener("htmx:after:history:update", mark);
mark();
