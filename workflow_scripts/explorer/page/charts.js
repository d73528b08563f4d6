// Curves of energy, and of layers, as SVG.

const LINEAR_BELOW = 1e-6; // the grid's own resolution

const AXES = {
  linear: { at: (energy) => energy, energy: (at) => at, ticks: [-1, -0.5, 0, 0.5, 1] },
  log: {
    at(energy) {
      const size = Math.abs(energy) / LINEAR_BELOW;
      return Math.sign(energy) * (size < 1 ? size : 1 + Math.log10(size)) / 7;
    },
    energy(at) {
      const size = Math.abs(at) * 7;
      return Math.sign(at) * LINEAR_BELOW * (size < 1 ? size : 10 ** (size - 1));
    },
    ticks: [-1, -0.5, -1e-2, -1e-4, -1e-6, 0, 1e-6, 1e-4, 1e-2, 1],
  },
};

const QUANTITIES = {
  entropy: { sign: 'S', log: false, unit: 'S = ln Ω' },
  temperature: { sign: 'T', log: true, unit: 'T = Ω/ρ', ceiling: 100 },
  density: { sign: 'ρ', log: true, unit: 'ρ = dΩ/dE' },
};

function drawn(name, attributes, text) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

const BOX = { left: 62, right: 890, top: 10, bottom: 262 };

/** Points as the d of a path; a gap where one is missing. */
function path(points) {
  let d = '', pen = 'M';
  for (const point of points) {
    if (!point || Number.isNaN(point[1])) pen = 'M';
    else {
      d += `${pen}${point[0].toFixed(1)} ${point[1].toFixed(1)}`;
      pen = 'L';
    }
  }
  return d;
}

function limits(curves, quantity) {
  const { log, ceiling } = QUANTITIES[quantity];
  let low = Infinity, high = -Infinity;
  for (const curve of curves) {
    for (const value of curve[quantity]) {
      if (Number.isNaN(value) || (log && value <= 0)) continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  }
  if (low > high) return [log ? Math.log(0.1) : -1, 0];
  if (!log) return [low - 0.5, high + 0.3];
  return [Math.log(low / 3), Math.log(Math.min(high * 3, ceiling || Infinity))];
}

/** Draw one or two curves with their bands. */
function drawCurves(svg, curves, quantity, axisName) {
  const axis = AXES[axisName], { log, unit } = QUANTITIES[quantity];
  const [low, high] = limits(curves, quantity);
  const x = (energy) => BOX.left + (axis.at(energy) + 1) / 2 * (BOX.right - BOX.left);
  const y = (value) => {
    const at = ((log ? Math.log(value) : value) - low) / (high - low);
    return BOX.bottom - Math.min(1.02, Math.max(-0.02, at)) * (BOX.bottom - BOX.top);
  };
  const parts = [];
  for (const energy of axis.ticks) {
    parts.push(drawn('line', { class: 'axis', x1: x(energy), x2: x(energy), y1: BOX.top, y2: BOX.bottom }));
    parts.push(drawn('text', { x: x(energy), y: BOX.bottom + 16, 'text-anchor': 'middle' }, axisName === 'log' && energy === -0.5 ? '' : shown(energy)));
  }
  parts.push(drawn('text', { x: (BOX.left + BOX.right) / 2, y: 296, 'text-anchor': 'middle' }, 'energy E'));
  for (const value of yTicks(low, high, log)) {
    parts.push(drawn('line', { class: 'axis', x1: BOX.left, x2: BOX.right, y1: y(value), y2: y(value) }));
    parts.push(drawn('text', { x: BOX.left - 6, y: y(value) + 4, 'text-anchor': 'end' }, shown(value)));
  }
  parts.push(drawn('text', { x: BOX.left + 6, y: BOX.top + 12 }, unit));
  curves.forEach((curve, which) => {
    const of = which ? 'second' : 'first', points = Array.from(curve.energy, (_, i) => i);
    const part = (name) => points.map((i) => [x(curve.energy[i]), y(curve[name][i])]);
    const above = part(`${quantity}_band_high`), below = part(`${quantity}_band_low`), value = part(quantity);
    const band = [];
    points.forEach((i) => {
      if (i && [above[i], below[i], above[i - 1], below[i - 1]].every((point) => !Number.isNaN(point[1]))) {
        band.push(`${path([below[i - 1], below[i], above[i], above[i - 1]])}Z`);
      }
    });
    parts.push(drawn('path', { class: `band ${of}`, d: band.join('') }));
    const beyond = (i) => curve.extrapolated[i];
    const solid = value.map((point, i) => (beyond(i) ? null : point));
    const dotted = value.map((point, i) => (beyond(i) || beyond(i + 1) || beyond(i - 1) ? point : null));
    parts.push(drawn('path', { class: `line ${of}`, d: path(solid) }));
    parts.push(drawn('path', { class: `line dotted ${of}`, d: path(dotted) }));
  });
  parts.push(drawn('rect', { class: 'brush', y: BOX.top, height: BOX.bottom - BOX.top, x: 0, width: 0 }));
  svg.replaceChildren(...parts);
  return {
    energy: (at) => axis.energy(Math.min(1, Math.max(-1, (at - BOX.left) / (BOX.right - BOX.left) * 2 - 1))),
    brush(from, to) {
      const rectangle = svg.querySelector('.brush');
      rectangle.setAttribute('x', x(from));
      rectangle.setAttribute('width', Math.max(1, x(to) - x(from)));
    },
  };
}

function yTicks(low, high, log) {
  const [first, last] = log ? [low / Math.LN10, high / Math.LN10] : [low, high];
  const step = [0.5, 1, 2, 5, 10, 20, 50].find((size) => (last - first) / size <= 6) || 100;
  const ticks = [];
  for (let at = Math.ceil(first / step) * step; at <= last; at += step) ticks.push(log ? 10 ** at : at);
  return ticks;
}

/** Draw H of one state by layer, for one or two models. */
function drawThrough(svg, lines, axisName) {
  const axis = AXES[axisName];
  const all = lines.flatMap((line) => line.layers), last = Math.max(1, ...all);
  const x = (layer) => 46 + layer / last * 360, y = (energy) => 112 - axis.at(energy) * 96;
  const parts = [];
  for (const energy of axis.ticks.filter((tick) => axisName === 'linear' || Math.abs(tick) !== 0.5)) {
    parts.push(drawn('line', { class: 'axis', x1: 46, x2: 406, y1: y(energy), y2: y(energy) }));
    parts.push(drawn('text', { x: 40, y: y(energy) + 4, 'text-anchor': 'end' }, shown(energy)));
  }
  const ticks = [...new Set(all)].sort((a, b) => a - b), every = Math.ceil(ticks.length / 12);
  ticks.forEach((layer, i) => {
    if (i % every === 0 || layer === last) {
      parts.push(drawn('text', { x: x(layer), y: 226, 'text-anchor': 'middle' }, String(layer)));
    }
  });
  parts.push(drawn('text', { x: 226, y: 241, 'text-anchor': 'middle' }, 'layer'));
  lines.forEach(({ layers, energies }, which) => {
    const of = which ? 'second' : 'first', points = layers.map((layer, i) => [x(layer), y(energies[i])]);
    parts.push(drawn('path', { class: `line ${of}`, d: path(points) }));
    for (const [cx, cy] of points) if (!Number.isNaN(cy)) parts.push(drawn('circle', { class: `dot ${of}`, cx, cy, r: 3 }));
  });
  svg.replaceChildren(...parts);
}
