// Numbers as the server writes and colours them: arrays, three digits, warm and cool.

/** Numbers of a .npy file, version 1, little-endian float32; null where it does not come. */
export async function numbers(url) {
  const response = await fetch(url);
  if (!response.ok) return null;
  const buffer = await response.arrayBuffer();
  return new Float32Array(buffer, 10 + new DataView(buffer).getUint16(8, true));
}

const power = (text) => text.replace(/e([+-])(\d)$/, "e$10$2");
const minus = (text) => text.replaceAll("-", "−");

/** A value as the server's `number` writes it: three digits, whole from 1,000 on, a true minus sign. */
export function format(value) {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 999.5 && size < 1e4) return minus(value.toFixed(0));
  if (size >= 1e-3 && size < 1e4) return minus(Number(value.toPrecision(3)).toString());
  return minus(power(value.toExponential(1)));
}

const UNITS = ["", "× 10⁻³", "× 10⁻⁶", "× 10⁻⁹"];

/** How numbers up to a magnitude are written in four digits, and the unit they are in. */
export function compact(limit) {
  let unit = 0;
  let factor = 1;
  while (limit * factor > 0 && limit * factor < 0.3 && unit < 3) {
    unit += 1;
    factor *= 1000;
  }
  const decimals = limit ? Math.max(0, Math.min(2, 2 - Math.trunc(Math.log10(limit * factor)))) : 0;
  // Only zero is written as 0: what is too small for these digits is written 0.00.
  const text = (value) => {
    if (value === 0) return "0";
    const large = Math.abs(value) * factor >= 1e4;
    return minus(large ? power(value.toExponential(0)) : (value * factor).toFixed(decimals));
  };
  return [text, UNITS[unit]];
}

const LEVELS = 6;

/** The colour class of a value: full at the magnitude `limit`. */
export function heat(value, limit) {
  if (!value || !limit) return "";
  const level = Math.min(LEVELS, Math.max(1, Math.round((LEVELS * Math.abs(value)) / limit)));
  return (value > 0 ? "w" : "c") + level;
}
