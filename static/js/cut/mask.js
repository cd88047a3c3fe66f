// A mask of square cells, written as the server reads it: four hexadecimal digits for sixteen cells.

export class Mask {
  constructor(side, text) {
    this.side = side;
    const digits = side / 4;
    const row = (y) => (text ? parseInt(text.slice(y * digits, (y + 1) * digits), 16) : 0);
    this.rows = Array.from({ length: side }, (_, y) => row(y));
  }

  has(y, x) {
    return y >= 0 && x >= 0 && y < this.side && x < this.side && Boolean((this.rows[y] >> (this.side - 1 - x)) & 1);
  }

  /** Cover or uncover a cell; whether that changed anything. */
  set(y, x, on) {
    if (this.has(y, x) === on) return false;
    this.rows[y] ^= 1 << (this.side - 1 - x);
    return true;
  }

  /** Empty where nothing is covered. */
  get text() {
    const digits = this.side / 4;
    return this.rows.some(Boolean) ? this.rows.map((row) => row.toString(16).padStart(digits, "0")).join("") : "";
  }

  /** Cells for which `test` holds, as an SVG path. */
  path(test) {
    let path = "";
    for (let y = 0; y < this.side; y += 1) {
      for (let x = 0; x < this.side; x += 1) if (test(y, x)) path += `M${x} ${y}h1v1h-1z`;
    }
    return path;
  }

  /** The border of what is covered, as an SVG path. */
  outline() {
    let path = "";
    for (let y = 0; y <= this.side; y += 1) {
      for (let x = 0; x <= this.side; x += 1) {
        if (this.has(y, x) !== this.has(y - 1, x)) path += `M${x} ${y}h1`;
        if (this.has(y, x) !== this.has(y, x - 1)) path += `M${x} ${y}v1`;
      }
    }
    return path;
  }
}
