// One state in its document: its text, all layers of it, and H through the layers.

const EXTENTS = { near: 160, whole: 2048 }; // tokens on either side
const WIDTH = 2; // pixels of a token in a map, at least

/** A map of layers × tokens, whose first row is the last layer; arrow keys and clicks go to a token.
 * What it gives marks another token in it. */
function drawMap(line, text, [first, end], tell) {
  const { layers, fields, model } = line, start = text.position[first];
  const width = text.position[end - 1] - start + 1, height = layers.length;
  const title = `${model.name}, layers × tokens ${start} to ${start + width - 1}`;
  const canvas = make('canvas', { width, height, tabIndex: 0 });
  canvas.style.height = `${Math.min(260, Math.max(40, height * 14))}px`;
  canvas.style.minWidth = `${width * WIDTH}px`;
  for (const [name, value] of Object.entries({
    role: 'slider', 'aria-label': `${title}; arrow keys go from token to token`, 'aria-valuemin': start,
    'aria-valuemax': start + width - 1,
  })) canvas.setAttribute(name, value);
  const brush = canvas.getContext('2d'), image = brush.createImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  let missing = false;
  for (let position = start, n = first; position < start + width; position++) {
    const here = text.position[n] === position;
    for (let row = 0; row < height; row++) {
      const energy = here ? fields[row][n] : NaN, absent = Number.isNaN(energy) && !text.ends(n);
      if (absent && (position + row) % 2) continue;
      missing = missing || absent;
      pixels[(height - 1 - row) * width + position - start] = absent ? HOLE : ink(energy);
    }
    if (here) n++;
  }
  brush.putImageData(image, 0, 0);
  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    const inside = (value, size, cells) => Math.max(0, Math.min(cells - 1, Math.floor(value / size * cells)));
    return {
      n: text.beside(first, start + inside(event.clientX - box.left, box.width, width)),
      row: height - 1 - inside(event.clientY - box.top, box.height, height),
    };
  };
  canvas.addEventListener('pointermove', (event) => {
    const { n, row } = at(event);
    const lines = n < 0 ? ['not in this page'] : [`“${named(text.says(n)) || '…'}”, position ${text.position[n]}`, `H = ${shown(fields[row][n])} at layer ${layers[row]}`];
    showLines({ left: event.clientX + 12, top: event.clientY, bottom: event.clientY + 12 }, lines);
  });
  const mark = make('div', { className: 'here' });
  mark.style.width = `${100 / width}%`;
  const cells = make('div', { className: 'cells' }, make('div', {}, canvas, mark));
  cells.firstChild.style.minWidth = canvas.style.minWidth;
  const names = make('div', { className: 'names' }, ...[...layers].reverse().filter(
    (_, i) => i % Math.ceil(layers.length / 12) === 0).map((layer) => make('span', {}, String(layer))));
  const map = make('div', { className: 'map' }, make('p', {}, missing ? `${title}; chequered where none is in this page` : title), names, cells);
  const choose = (n, go) => {
    mark.style.left = `${(text.position[n] - start) / width * 100}%`;
    canvas.setAttribute('aria-valuenow', text.position[n]);
    canvas.setAttribute('aria-valuetext', tell(n).join('; '));
    canvas.onclick = (event) => { if (at(event).n >= 0) go(at(event).n); };
    canvas.onkeydown = (event) => step(event, n, go);
    centre(cells, mark);
  };
  return { map, choose };
}

let drawnOf = [], drawnMaps = []; // what is shown, and its maps: moving in it draws nothing anew

/** Go on by arrow keys. */
function step(event, n, go) {
  const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (!by) return;
  event.preventDefault();
  go(n + by);
}

/** Scroll a box so that something in it is in the middle, and nothing else of the page. */
function centre(box, inner) {
  const outer = box.getBoundingClientRect(), place = inner.getBoundingClientRect();
  box.scrollTop += place.top - outer.top - box.clientHeight / 2;
  box.scrollLeft += place.left - outer.left - box.clientWidth / 2;
}

/** Show a state, of one model or two, in its document. */
function showOne(parts, text, n, view, models, { axis, extent }, tell, go) {
  const of = [...models.map(({ model }) => model), view, extent];
  const alike = of.length + 2 === drawnOf.length && of.every((part, i) => part === drawnOf[i]);
  const [begin, stop] = text.near(n, EXTENTS[extent] / 2), kept = drawnOf.slice(of.length);
  const same = alike && kept[0] <= begin && stop <= kept[1];
  const range = same ? kept : text.near(n, EXTENTS[extent]), [first, end] = range;
  const mark = (begin, last) => (begin <= n && n <= last ? 'last' : begin === n + 1 ? 'correct' : '');
  drawnOf = [...of, first, end];
  if (same) {
    for (const span of parts.text.querySelectorAll('.last, .correct')) span.classList.remove('last', 'correct');
    for (const m of [n, n + 1]) {
      const span = Array.from(parts.text.children).find(({ dataset }) => dataset.first <= m && m <= dataset.n);
      if (span) span.classList.add(mark(Number(span.dataset.first), Number(span.dataset.n)));
    }
  } else parts.text.replaceChildren(...text.spans(first, end, (m) => view.field[m], mark));
  parts.whole.textContent = text.whole(n) ? 'All of this document is in the page.'
    : 'Of this document only what stands near states at the ends of a layer is in the page; […] stands for the rest.';
  parts.text.onclick = (event) => event.target.dataset.n && go(Number(event.target.dataset.n));
  parts.text.onkeydown = (event) => step(event, n, go);
  const lines = models.map(({ group, model }) => {
    const fields = model.layers.map((layer) => fieldOf(group, model, layer));
    return { model, fields, layers: model.layers.map(({ layer }) => layer), energies: fields.map((field) => field[n]) };
  });
  drawThrough(parts.through, lines, axis);
  parts.head.replaceChildren(make('tr', {}, make('th', { scope: 'col' }, 'layer'),
    ...lines.map(({ model }) => make('th', { scope: 'col' }, `H, ${model.name}`))));
  const layers = [...new Set(lines.flatMap((line) => line.layers))].sort((a, b) => a - b);
  parts.rows.replaceChildren(...layers.map((layer) => make('tr', {}, make('th', { scope: 'row' }, String(layer)),
    ...lines.map((line) => make('td', {}, line.layers.includes(layer) ? shown(line.energies[line.layers.indexOf(layer)]) : '–')))));
  if (!same) {
    drawnMaps = lines.map((line) => drawMap(line, text, range, tell));
    parts.maps.replaceChildren(...drawnMaps.map(({ map }) => map));
  }
  for (const { choose } of drawnMaps) choose(n, go);
  if (parts.text.querySelector('.last')) centre(parts.text, parts.text.querySelector('.last'));
}
