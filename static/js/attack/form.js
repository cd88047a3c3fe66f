// The form: values next to the sliders, the chosen picture on an empty stage, uploads that keep the rest.
import { formQuery } from "../lib/url.js";

const form = () => document.getElementById("attack-form");

document.addEventListener("input", (event) => {
  const value = event.target.closest?.(".slider")?.querySelector("output b");
  if (value) value.textContent = event.target.step === "any" ? Number(event.target.value).toFixed(1) : event.target.value;
});

document.addEventListener("change", (event) => {
  const chosen = event.target;
  if (chosen.name !== "image" || chosen.form !== form()) return;
  const original = document.querySelector('#scene[data-state="empty"] [data-out="original"]');
  if (!original) return;
  original.src = chosen.dataset.preview;
  original.alt = `${chosen.dataset.title}, as it was`;
  original.closest("figure").querySelector("figcaption").firstChild.textContent = `${chosen.dataset.title} `;
});

// An uploaded picture is added to the form without changing its settings.
document.addEventListener("submit", (event) => {
  if (!event.target.matches(".upload")) return;
  event.target.elements.back.value = formQuery(form());
}, true);

// On a phone the stage lies below the form.
function look() {
  const stage = document.getElementById("stage");
  if (stage?.getBoundingClientRect().top > innerHeight * 0.6) stage.scrollIntoView({ block: "start" });
}
document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  if (ctx?.sourceElement?.id !== "attack-form" || ctx.target?.id !== "stage") return;
  document.getElementById("problem").replaceChildren();
  look();
});
if (document.querySelector('#scene:not([data-state="empty"])')) look();

// What is on the stage belongs to other settings, once they are changed: it stays, and says so.
for (const kind of ["input", "change"]) {
  document.addEventListener(kind, (event) => {
    if (event.target.form === form()) document.getElementById("scene")?.toggleAttribute("data-stale", true);
  });
}
