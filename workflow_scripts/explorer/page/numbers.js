// Numbers: as the page holds them, as it writes them, and their colours.

function bytesOf(text) {
  const letters = atob(text), bytes = new Uint8Array(letters.length);
  for (let i = 0; i < letters.length; i++) bytes[i] = letters.charCodeAt(i);
  return bytes;
}

const f4 = (text) => new Float32Array(bytesOf(text).buffer);
const u4 = (text) => new Uint32Array(bytesOf(text).buffer);

const HALVES = new Float32Array(65536); // not every browser has Float16Array
for (let bits = 0; bits < 65536; bits++) {
  const sign = bits & 32768 ? -1 : 1, exponent = (bits >> 10) & 31, rest = bits & 1023;
  if (exponent === 31) HALVES[bits] = rest ? NaN : sign * Infinity;
  else if (exponent) HALVES[bits] = sign * 2 ** (exponent - 15) * (1 + rest / 1024);
  else HALVES[bits] = sign * 2 ** -24 * rest;
}

const f2 = (text) => Float32Array.from(new Uint16Array(bytesOf(text).buffer), (bits) => HALVES[bits]);

const RAISED = { '-': '⁻', ...Object.fromEntries(Array.from('⁰¹²³⁴⁵⁶⁷⁸⁹', (sign, digit) => [digit, sign])) };

/** A number to read: three digits, with a real minus sign. */
function shown(value) {
  if (value === null || Number.isNaN(value)) return '–';
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size >= 1e-3 && size < 1e4) return String(Number(value.toPrecision(3))).replace('-', '−');
  const [digits, power] = value.toExponential(1).split('e');
  const raised = power.replace('+', '').replace(/./g, (sign) => RAISED[sign]);
  return Math.abs(digits) === 1 ? `${digits < 0 ? '−' : ''}10${raised}` : `${Number(digits)}·10${raised}`.replace('-', '−');
}

const counted = (number) => number.toLocaleString('en');

/** A number of few digits on one side of another, so that an interval that ends there holds it. */
function tidy(value, up) {
  const near = Number(value.toPrecision(3));
  if (up ? near >= value : near <= value) return near;
  const step = 10 ** (Math.floor(Math.log10(Math.abs(value))) - 2);
  return Math.min(1, Math.max(-1, Number((near + (up ? step : -step)).toPrecision(3))));
}

const HOLE = [128, 128, 128, 140]; // a cell of which the page has no energy

/** Red, green, blue and opacity of an energy, over any paper: orange below 0, blue above. */
function inks(energy) {
  if (Number.isNaN(energy) || energy === 0) return [0, 0, 0, 0];
  return [...(energy < 0 ? [213, 94, 0] : [0, 114, 178]), Math.round(184 * Math.cbrt(Math.abs(energy)))];
}

/** The same as CSS. */
function colour(energy) {
  const [red, green, blue, opacity] = inks(energy);
  return opacity ? `rgb(${red} ${green} ${blue} / ${(opacity / 255).toFixed(3)})` : '';
}

/** First place in ascending numbers at which one is not below (or, `after`, is above) a value. */
function place(numbers, value, after) {
  let low = 0, high = numbers.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numbers[middle] < value || (after && numbers[middle] === value)) low = middle + 1;
    else high = middle;
  }
  return low;
}
