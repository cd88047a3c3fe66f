// Synthesised pictures: the other channel's share, and scrolling to the growing picture.
document.addEventListener("input", ({ target }) => {
  if (target.matches?.(".synthesis [name=share]")) {
    target.closest("label").querySelector("output").textContent = `${target.value} %`;
  }
});

// A press on the button at the foot: the picture that grows is at the head.
document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  if (!ctx?.sourceElement?.matches?.(".synthesis .settings")) return;
  document.getElementById("synthesis-stage").scrollIntoView({ block: "nearest" });
});

// A link that names a picture leads to it, however far down the pane.
document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  const panel = ctx?.sourceElement;
  if (panel?.matches?.("details.panel[hx-trigger=load]:has(.synthesis)")) panel.scrollIntoView();
});
