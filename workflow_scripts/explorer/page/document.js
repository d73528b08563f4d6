// One state in its document: its text, all layers of it, and H through the layers.

const WIDE = 160; // tokens on either side

/** A map of layers × tokens, whose first row is the last layer; arrow keys and clicks go to a token. */
function drawMap(title, layers, fields, first, end, chosen, go) {
  const canvas = make('canvas', { width: end - first, height: layers.length, tabIndex: 0 });
  canvas.style.height = `${Math.min(260, Math.max(40, layers.length * 14))}px`;
  canvas.setAttribute('role', 'img');
  canvas.setAttribute('aria-label', `${title}: H by layer and token; arrow keys go from token to token`);
  const brush = canvas.getContext('2d');
  fields.forEach((field, row) => {
    for (let n = first; n < end; n++) {
      if (Number.isNaN(field[n])) continue;
      brush.fillStyle = colour(field[n]) || 'transparent';
      brush.fillRect(n - first, layers.length - 1 - row, 1, 1);
    }
  });
  canvas.addEventListener('click', (event) => {
    const box = canvas.getBoundingClientRect();
    go(Math.min(end - 1, first + Math.floor((event.clientX - box.left) / box.width * (end - first))));
  });
  canvas.addEventListener('keydown', (event) => step(event, chosen, go));
  const names = make('div', { className: 'names' }, ...[...layers].reverse().filter(
    (_, i) => i % Math.ceil(layers.length / 12) === 0).map((layer) => make('span', {}, String(layer))));
  return make('div', { className: 'map' }, make('p', {}, title), names, canvas);
}

/** Go on by arrow keys. */
function step(event, n, go) {
  const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (!by) return;
  event.preventDefault();
  go(n + by);
}

/** Show a state, of one model or two, in its document. */
function showOne(parts, text, n, view, models, axis, go) {
  const [first, end] = text.near(n, WIDE);
  const mark = (begin, last) => (begin <= n && n <= last ? 'last' : begin === n + 1 ? 'correct' : '');
  parts.text.replaceChildren(...text.spans(first, end, (m) => view.field[m], mark));
  const here = parts.text.querySelector('.last');
  if (here) parts.text.scrollTop = here.offsetTop - parts.text.offsetTop - parts.text.clientHeight / 2;
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
  parts.maps.replaceChildren(...lines.map((line) => drawMap(
    `${line.model.name}, layers × tokens ${text.position[first]} to ${text.position[end - 1]}`,
    line.layers, line.fields, first, end, n, go)));
}
