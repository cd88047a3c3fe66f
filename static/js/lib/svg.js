// Points of the pointer in an SVG element's own units.

/** Where a pointer is, as a DOMPoint in the coordinates of `element`. */
export function pointIn(element, event) {
  return new DOMPoint(event.clientX, event.clientY).matrixTransform(element.getScreenCTM().inverse());
}
