// Cover and cut: what the panels need beyond links and forms. Brush and map come when one is open.
import "./address.js";
import "../lib/jobs.js";

function bring() {
  if (!document.querySelector("#evidence .cut")) return;
  document.removeEventListener("htmx:after:swap", bring);
  import("./cover.js");
  import("./heat.js");
}
document.addEventListener("htmx:after:swap", bring);
