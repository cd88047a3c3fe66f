// Synthesised pictures: the other channel's share, and scrolling to a picture that a link names.
document.addEventListener("input", ({ target }) => {
  if (target.matches?.(".synthesis [name=share]")) {
    target.closest("label").querySelector("output").textContent = `${target.value} %`;
  }
});

// A link that names a picture leads to it, however far down the pane.
document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  const panel = ctx?.sourceElement;
  if (panel?.matches?.("details.panel[hx-trigger=load]:has(.synthesis)")) panel.scrollIntoView();
});
