// Uploads the user's photo when it is chosen; a tap on the result pins the pixel there.
import { BASE, parameters } from "../lib/url.js";

document.addEventListener("change", (event) => {
  const input = event.target;
  if (input.matches?.("#own-photo input[type=file]") && input.files.length) {
    input.form.requestSubmit();
  }
});

document.addEventListener("click", (event) => {
  const result = event.target.closest?.("svg[data-pin]");
  if (!result) return;
  const box = result.getBoundingClientRect();
  const { width, height } = result.viewBox.baseVal;
  const at = (place, from, size, count) =>
    Math.min(count - 1, Math.max(0, Math.floor(((place - from) / size) * count)));
  const query = parameters();
  query.set("y", at(event.clientY, box.top, box.height, height));
  query.set("x", at(event.clientX, box.left, box.width, width));
  htmx.ajax("GET", `${BASE}/lab/photo?${query}`, {
    source: "#results",
    target: "#results",
    swap: "innerMorph show:none",
    headers: { "HX-Target": "div#results" },
  });
});
