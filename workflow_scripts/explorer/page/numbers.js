// Numbers: as the page holds them, as it writes them, and their colours.

function bytesOf(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text); // not every browser has it
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

function f2(text) {
  const halves = new Uint16Array(bytesOf(text).buffer), values = new Float32Array(halves.length);
  for (let i = 0; i < halves.length; i++) values[i] = HALVES[halves[i]];
  return values;
}

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

const COUNTS = new Intl.NumberFormat('en');
const counted = (number) => COUNTS.format(number);

/** A number of few digits on one side of another, so that an interval that ends there holds it. */
function tidy(value, up) {
  const near = Number(value.toPrecision(3));
  if (up ? near >= value : near <= value) return near;
  const step = 10 ** (Math.floor(Math.log10(Math.abs(value))) - 2);
  return Math.min(1, Math.max(-1, Number((near + (up ? step : -step)).toPrecision(3))));
}

/** A pixel as a canvas holds it, in the order of its bytes. */
const pixel = (red, green, blue, opacity) => ((opacity << 24) | (blue << 16) | (green << 8) | red) >>> 0;

const HOLE = pixel(128, 128, 128, 140); // a cell of which the page has no energy

/** How strong the colour of an energy is, from 0 to 255; none where there is no energy. */
const strength = (energy) => Math.round(184 * Math.cbrt(Math.abs(energy))) || 0;

/** The pixel of an energy, over any paper: orange below 0, blue above. */
const ink = (energy) => (energy < 0 ? pixel(213, 94, 0, strength(energy)) : pixel(0, 114, 178, strength(energy)));

/** The same as CSS. */
function colour(energy) {
  const opacity = strength(energy);
  return opacity ? `rgb(${energy < 0 ? '213 94 0' : '0 114 178'} / ${(opacity / 255).toFixed(3)})` : '';
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

/** Places of numbers in ascending order, NaN last, and of equal ones the first first.
 * By their digits: to compare two by a function, as often as that takes, is several times slower.
 */
function ascending(numbers) {
  const count = numbers.length, value = new Float64Array(count), words = new Uint32Array(value.buffer);
  for (let i = 0; i < count; i++) {
    value[i] = Number.isNaN(numbers[i]) ? Infinity : numbers[i] + 0; // there is but one 0
    const below = words[2 * i + 1] >>> 31; // so that bits of negative numbers ascend too
    words[2 * i] ^= below ? 0xffffffff : 0;
    words[2 * i + 1] ^= below ? 0xffffffff : 0x80000000;
  }
  const digits = new Uint16Array(value.buffer);
  let order = new Uint32Array(count), next = new Uint32Array(count);
  for (let i = 0; i < count; i++) order[i] = i;
  for (let digit = 0; digit < 4; digit++) {
    const start = new Uint32Array(65537);
    for (let i = digit; i < digits.length; i += 4) start[digits[i] + 1]++;
    if (start[digits[digit] + 1] === count) continue; // all have the same one
    for (let i = 1; i < start.length; i++) start[i] += start[i - 1];
    for (let i = 0; i < count; i++) next[start[digits[4 * order[i] + digit]]++] = order[i];
    [order, next] = [next, order];
  }
  return order;
}
