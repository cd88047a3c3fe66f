// Terms light their bars, links their frames; the pane is saved as a picture.

/** Everything that stands for the same class or the same cell. */
function light(attribute, value, on) {
  const same = document.querySelectorAll(`[data-${attribute}="${CSS.escape(value)}"]`);
  for (const one of same) one.toggleAttribute("data-lit", on);
  if (attribute !== "term") return;
  document.querySelector(`.map.class[data-channel="${CSS.escape(value)}"]`)?.toggleAttribute("data-lit", on);
}

for (const [type, on] of [["pointerover", true], ["pointerout", false], ["focusin", true], ["focusout", false]]) {
  document.addEventListener(type, (event) => {
    for (const attribute of ["term", "link"]) {
      const one = event.target.closest?.(`.deep-pane [data-${attribute}]`);
      if (one) light(attribute, one.dataset[attribute], on);
    }
  });
}
