// A sliding window over numbers that were fetched once: patch, kernel, products, sums.
import { numbers } from "./numbers.js";

/** What a scan's attributes say, and its numbers as they arrive. */
export class Window {
  constructor(element) {
    const { inputs, kernel, values, window, scan, source } = element.dataset;
    const pair = (text) => text.split(",").map(Number);
    [this.kernel, this.stride, this.padding] = JSON.parse(window);
    this.size = pair(element.dataset.size);
    this.shape = pair(element.dataset.shape);
    this.pool = scan === "maxpool";
    this.every = "every" in element.dataset;
    this.source = Number(source);
    this.ready = Promise.all([
      numbers(inputs).then((found) => { this.inputs = found; }),
      kernel ? numbers(kernel).then((found) => { this.weights = found; }) : null,
      numbers(values).then((found) => { this.values = found; }),
    ]);
  }

  get complete() { return Boolean(this.inputs && this.values && (this.pool || this.weights)); }

  /** The window's first row and column in the input; negative over padding. */
  start(y, x) {
    return [y * this.stride[0] - this.padding[0], x * this.stride[1] - this.padding[1]];
  }

  /** The input at a row and column of a map, null beyond the edge. */
  at(map, row, column) {
    const [rows, columns] = this.size;
    if (row < 0 || column < 0 || row >= rows || column >= columns) return null;
    const plane = this.every ? map : 0;
    return this.inputs[(plane * rows + row) * columns + column];
  }

  /** Every cell of the window over one input map: [row, column, input, weight]. */
  cells(map, y, x) {
    const [top, left] = this.start(y, x);
    const [height, width] = this.kernel;
    const found = [];
    for (let i = 0; i < height; i += 1) {
      for (let j = 0; j < width; j += 1) {
        const weight = this.pool ? 1 : this.weights[(map * height + i) * width + j];
        found.push([top + i, left + j, this.at(map, top + i, left + j), weight]);
      }
    }
    return found;
  }

  /** What one input map adds. */
  sum(map, y, x) {
    return this.cells(map, y, x).reduce((sum, [, , value, weight]) => sum + (value ?? 0) * weight, 0);
  }

  /** The output that the network has there. */
  value(y, x) { return this.values[y * this.shape[1] + x]; }
}
