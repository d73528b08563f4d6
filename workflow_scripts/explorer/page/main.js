// What is chosen, and what is shown of it. The choice stands in the address, so that it can be sent.

const $ = (id) => document.getElementById(id);
const PAGE = 50; // states that are listed at once
const LOWEST = 100; // states of the range that is chosen at first
const FORM = ['model', 'dataset', 'layer', 'beside', 'quantity', 'axis', 'from', 'to', 'find', 'where', 'sort', 'extent'];

const choice = { quantity: 'entropy', axis: 'log', find: '', where: 'any', sort: 'energy', beside: '', state: '', extent: 'near' };
let view, beside, group, model, chart, found, listed;

const models = () => [...new Set(DATA.groups.flatMap((one) => one.models.map(({ name }) => name)))];
const pairs = () => DATA.groups.flatMap((one) => one.models.map((of) => ({ group: one, model: of })));
const known = (list, value) => (list.includes(value) ? value : list[0]);

/** Offer values, of which one is chosen. */
function offer(id, values, chosen, say = String) {
  const select = $(id);
  select.replaceChildren(...values.map((value) => make('option', { value }, say(value))));
  select.value = chosen;
}

/** Find what is chosen, and correct what does not exist. */
function resolve() {
  choice.model = known(models(), choice.model);
  const mine = pairs().filter((pair) => pair.model.name === choice.model);
  choice.dataset = known(mine.map((pair) => pair.group.dataset), choice.dataset);
  ({ group, model } = mine.find((pair) => pair.group.dataset === choice.dataset));
  const layers = model.layers.map(({ layer }) => layer);
  choice.layer = layers.includes(Number(choice.layer)) ? Number(choice.layer) : layers[layers.length - 1];
  view = layerOf(group, model, model.layers[layers.indexOf(choice.layer)]);
  const others = group.models.flatMap((of) => of.layers.map(({ layer }) => `${of.name}:${layer}`));
  const rivals = others.filter((name) => name !== view.key);
  if (!rivals.includes(choice.beside)) choice.beside = '';
  const at = choice.beside.lastIndexOf(':');
  const other = group.models.find(({ name }) => name === choice.beside.slice(0, at));
  beside = other ? layerOf(group, other, other.layers.find(({ layer }) => layer === Number(choice.beside.slice(at + 1)))) : null;
  for (const end of ['from', 'to']) {
    const value = Number(choice[end]);
    if (choice[end] === undefined || choice[end] === '' || !(value >= -1 && value <= 1)) setRange('lowest');
    else choice[end] = value;
  }
  for (const [key, values] of [['quantity', Object.keys(QUANTITIES)], ['axis', Object.keys(AXES)], ['sort', Object.keys(view.sorts())], ['where', ['any', 'last', 'correct', 'top']], ['extent', Object.keys(EXTENTS)]]) {
    choice[key] = known(values, choice[key]);
  }
  offer('model', models(), choice.model);
  offer('dataset', mine.map((pair) => pair.group.dataset), choice.dataset);
  offer('layer', layers, choice.layer);
  offer('beside', ['', ...rivals], choice.beside, (name) => (name ? name.replace(/:(\d+)$/, ', layer $1') : 'nothing'));
  const sorts = view.sorts();
  offer('sort', Object.keys(sorts), choice.sort, (name) => sorts[name]);
  for (const id of ['quantity', 'axis', 'from', 'to', 'find', 'where', 'extent']) if ($(id).value !== String(choice[id])) $(id).value = choice[id];
}

function setRange(name) {
  const energy = view.energy, count = Math.min(LOWEST, energy.length);
  if (name === 'lowest') [choice.from, choice.to] = [-1, tidy(energy[count - 1], true)];
  if (name === 'highest') [choice.from, choice.to] = [tidy(energy[energy.length - count], false), 1];
  if (name === 'half') [choice.from, choice.to] = [-1, -0.5];
  if (name === 'below') [choice.from, choice.to] = [-1, -1e-38];
  if (name === 'all') [choice.from, choice.to] = [-1, 1];
}

/** Show all of it anew. */
function show() {
  resolve();
  showRule();
  const curves = [view, ...(beside ? [beside] : [])];
  chart = drawCurves($('curve'), curves.map(({ curve }) => curve), choice.quantity, choice.axis);
  $('replaced').hidden = !view.text.replaced;
  $('legend').replaceChildren(...curves.map((of, which) => make('span', { className: which ? 'second' : 'first' },
    `${which ? '╌╌' : '──'} ${of.key.replace(/:(\d+)$/, ', layer $1')}`)));
  showStates();
  showState();
}

function showRule() {
  const { tail, window: context, documents, drawn, whole, seed } = model.rule;
  $('rule').textContent = view.complete && drawn === documents
    ? `All ${counted(view.states)} states of this model, dataset and layer are in this page.`
    : `Of ${counted(view.states)} states, ${counted(view.energy.length)} are in this page: at each layer all of the ${counted(tail)} `
      + `lowest and the ${counted(tail)} highest (here H ≤ ${shown(view.low)} and H ≥ ${shown(view.high)}), with ${context} tokens on either `
      + `side; and between them those of ${counted(drawn)} of ${counted(documents)} documents, whole, drawn at random (seed ${seed}). `
      + `${counted(whole - drawn)} more documents can be read whole, those of the lowest states first.`;
}

/** Show the states of the range. */
function showStates() {
  chart.brush(choice.from, choice.to);
  found = view.select(choice, beside);
  listed = 0;
  $('list').classList.toggle('two', Boolean(beside));
  const score = view.scored && SCORES[choice.sort];
  $('list').classList.toggle('by-score', Boolean(score));
  $('scored').textContent = score ? score.say.split(',')[0] : '';
  $('list').tBodies[0].replaceChildren();
  more();
  showTriples();
  const range = `from ${shown(choice.from)} to ${shown(choice.to)}`;
  const holding = choice.find ? ` with “${named(choice.find)}”` : '';
  const whole = view.complete || choice.to <= view.low || choice.from >= view.high;
  $('said').textContent = `${counted(found.length)} states ${range}${holding}${whole ? ', all that there are' : ' are in this page, of which the middle ones are a sample'}.`;
  $('curve-said').textContent = `${QUANTITIES[choice.quantity].unit} of ${view.key}; the range is ${range}`;
  remember();
}

function more() {
  const rows = [];
  const end = Math.min(found.length, listed + PAGE);
  for (; listed < end; listed++) rows.push(rowOf(found[listed]));
  $('list').tBodies[0].append(...rows);
  $('more').hidden = listed >= found.length;
  $('more').textContent = `More (${counted(found.length - listed)} are not shown)`;
}

/** The score that states are ordered by, if they are; a loop energy as itself. */
const scoreOf = (s) => (view.scored && SCORES[choice.sort] ? SCORES[choice.sort].of(view, s) * (choice.sort === 'loop_energy' ? -1 : 1) : NaN);

const number = (value) => make('td', { className: 'number' }, shown(value));

function rowOf(s) {
  const n = view.at[s], text = view.text, [first, end] = text.near(n, model.rule.window);
  const [begin, stop] = contiguous(text, first, end, n);
  const mark = (from, last) => (from <= n && n <= last ? 'last' : from === n + 1 ? 'correct' : '');
  const button = make('button', { type: 'button' }, shown(view.energy[s]));
  button.dataset.state = n;
  button.setAttribute('aria-label', `H ${shown(view.energy[s])}: follow this state`);
  button.setAttribute('aria-describedby', 'tip');
  const rank = view.rank(s);
  const cell = make('td', { className: 'said' }, ...text.spans(begin, stop, (m) => view.field[m], mark));
  const row = make('tr', {}, make('td', { className: 'number' }, rank === null ? '–' : counted(rank)),
    make('td', { className: 'number' }, button), number(beside ? beside.field[n] : NaN), number(scoreOf(s)),
    number(Math.exp(view.logCorrect[s])), number(Math.exp(view.logLast[s])), cell);
  for (const at of [4, 5]) row.children[at].classList.add('wide-only');
  row.children[2].classList.add('other');
  row.children[3].classList.add('scored');
  return row;
}

/** The part of some tokens around one in which none is missing. */
function contiguous(text, first, end, n) {
  let begin = n, stop = n + 1;
  while (begin > first && text.position[begin - 1] === text.position[begin] - 1) begin--;
  while (stop < end && text.position[stop] === text.position[stop - 1] + 1) stop++;
  return [begin, stop];
}

const quoted = (token) => `“${named(view.text.labels[token])}”`;

function showTriples() {
  $('triples').tBodies[0].replaceChildren(...view.triples(found, 20).map(({ count, ...tokens }) => make('tr', {},
    make('td', { className: 'number' }, counted(count)),
    ...['last', 'correct', 'top'].map((role) => {
      const button = make('button', { type: 'button', className: 'token', title: 'list these' }, named(view.text.labels[tokens[role]]));
      button.addEventListener('click', () => change({ find: view.text.labels[tokens[role]], where: role }));
      return make('td', {}, button);
    }))));
}

/** What is known of the state that ends in a token, line by line. */
function told(n) {
  const s = view.state(n), energy = s < 0 ? view.field[n] : view.energy[s];
  const lines = [`“${named(view.text.says(n)) || '…'}”, document ${view.text.documents.doc[view.text.document(n)]}, position ${view.text.position[n]}`];
  if (view.text.isReplaced(n)) lines.push('put in the place of the text’s own token');
  lines.push(Number.isNaN(energy) ? 'no state of this page ends here' : `H = ${shown(energy)} at layer ${view.layer}`);
  if (beside) lines.push(`H = ${shown(beside.field[n])} of ${beside.key.replace(/:(\d+)$/, ', layer $1')}`);
  if (s >= 0) {
    const [low, high] = view.topBounds(s);
    lines.push(`last ${quoted(view.last[s])}: p = ${shown(Math.exp(view.logLast[s]))}`);
    lines.push(`correct ${quoted(view.correct[s])}: p = ${shown(Math.exp(view.logCorrect[s]))}`);
    lines.push(`top ${quoted(view.top[s])}: p ${low === high ? `= ${shown(low)}` : `from ${shown(low)} to ${shown(high)}`}`);
    lines.push(`entropy ${shown(view.entropy[s])} nats`);
    if (view.scored) lines.push(`surprisal ${shown(-view.logCorrect[s])} nats, ln K ${shown(view.kinetic[s])}, loop energy ${shown(view.loop_energy[s])}`);
  } else if (!Number.isNaN(energy)) lines.push('of its probabilities only this difference is in the page');
  return lines;
}

function showTip(target, n) { showLines(target.getBoundingClientRect(), told(n)); }

/** Show lines beside a place of the window. */
function showLines(box, lines) {
  const tip = $('tip');
  tip.replaceChildren(...lines.map((line) => make('p', {}, line)));
  tip.hidden = false;
  tip.style.left = `${Math.max(8, Math.min(box.left, innerWidth - tip.offsetWidth - 8))}px`;
  tip.style.top = `${box.bottom + tip.offsetHeight + 8 < innerHeight ? box.bottom + 4 : Math.max(4, box.top - tip.offsetHeight - 4)}px`;
}

function hideTip() { $('tip').hidden = true; }

/** Show the state that is chosen, if one is. */
function showState() {
  const n = choice.state ? view.text.find(choice.state) : -1;
  $('one').hidden = n < 0;
  if (n < 0) { choice.state = ''; return; }
  $('one-said').textContent = told(n).join('; ');
  const shownOf = [{ group, model }, ...(beside && beside.model !== model ? [{ group, model: beside.model }] : [])];
  const parts = { text: $('text'), whole: $('whole'), through: $('through'), head: $('by-layer').tHead, rows: $('by-layer').tBodies[0], maps: $('maps') };
  showOne(parts, view.text, n, view, shownOf, choice, told, (other) => {
    const at = view.text.document(n);
    if (other < view.text.start[at] || other >= view.text.start[at + 1]) return;
    const map = document.activeElement.tagName === 'CANVAS';
    choice.state = view.text.name(other);
    showState();
    remember();
    (map ? $('maps').querySelector('canvas') : $('text')).focus();
  });
}

function follow(n) {
  choice.state = view.text.name(n);
  showState();
  remember();
  $('one').focus();
  $('one').scrollIntoView();
}

/** Change the choice, and show what comes of it. */
function change(changes) {
  const before = `${choice.model} ${choice.dataset}`;
  Object.assign(choice, changes);
  if (before !== `${choice.model} ${choice.dataset}` && 'dataset' in changes) choice.state = '';
  show();
}

/** Write the choice into the address. */
function remember() {
  const words = new URLSearchParams();
  for (const key of [...FORM, 'state']) if (choice[key] !== '') words.set(key, choice[key]);
  try { history.replaceState(null, '', `#${words}`); } catch { /* a browser may forbid it for files */ }
}

function recall() {
  const words = new URLSearchParams(location.hash.slice(1));
  for (const key of [...FORM, 'state']) if (words.has(key)) choice[key] = words.get(key);
}

/** All states of the range as CSV. */
function csv() {
  const field = (value) => (/[",\n\r]/.test(String(value)) ? `"${String(value).replace(/"/g, '""')}"` : String(value));
  const scores = view.scored ? SCORED : [], blank = (value) => (Number.isNaN(value) ? '' : value);
  const head = ['model', 'dataset', 'layer', 'shard', 'doc', 'position', 'energy', 'log_p_correct', 'log_p_last', 'log_p_top', 'entropy', ...scores, 'last', 'correct', 'top', 'text'];
  const { text } = view, { labels } = text;
  const rows = Array.from(found, (s) => {
    const n = view.at[s], [shard, doc, position] = text.name(n).split('.');
    const [first, end] = contiguous(text, ...text.near(n, model.rule.window), n);
    let said = '';
    for (let m = first; m < end; m++) said += text.says(m);
    const numbers = [view.energy[s], view.logCorrect[s], view.logLast[s], view.logTop ? blank(view.logTop[s]) : '', view.entropy[s], ...scores.map((name) => blank(view[name][s]))];
    return [model.name, choice.dataset, view.layer, shard, doc, position, ...numbers, labels[view.last[s]], labels[view.correct[s]], labels[view.top[s]], said].map(field).join(',');
  });
  return `${[head.join(','), ...rows].join('\n')}\n`;
}

async function copy() {
  const text = csv();
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = make('textarea', { value: text });
    document.body.append(area);
    area.select();
    document.execCommand('copy');
    area.remove();
  }
  $('copied').textContent = `${counted(found.length)} states copied`;
}

/** Let a range be dragged over the curve. */
function brush(svg) {
  let start = null, waiting = false;
  const energy = (event) => {
    const box = svg.getBoundingClientRect();
    return Number(chart.energy((event.clientX - box.left) / box.width * 900).toPrecision(3));
  };
  svg.addEventListener('pointerdown', (event) => {
    start = energy(event);
    svg.setPointerCapture(event.pointerId);
  });
  svg.addEventListener('pointermove', (event) => {
    if (start === null) return;
    const end = energy(event);
    [choice.from, choice.to] = [Math.min(start, end), Math.max(start, end)];
    $('from').value = choice.from;
    $('to').value = choice.to;
    if (!waiting) {
      waiting = true;
      requestAnimationFrame(() => { waiting = false; showStates(); });
    }
  });
  for (const name of ['pointerup', 'pointercancel']) svg.addEventListener(name, () => { start = null; });
}

function theme(name) {
  if (name) document.documentElement.dataset.theme = name;
  else delete document.documentElement.dataset.theme;
  $('theme').value = name;
  try { localStorage.setItem('theme', name); } catch { /* none for files here */ }
}

function begin() {
  for (const id of FORM) {
    $(id).addEventListener(id === 'find' ? 'input' : 'change', () => {
      const value = $(id).value;
      if (id === 'find') { choice.find = value; showStates(); return; }
      if ((id === 'from' || id === 'to') && (value === '' || !$(id).checkValidity())) { $(id).value = choice[id]; return; }
      const changes = { [id]: value };
      if (id === 'from' && Number(value) > choice.to) changes.to = value;
      if (id === 'to' && Number(value) < choice.from) changes.from = value;
      change(changes);
    });
  }
  for (const button of document.querySelectorAll('[data-range]')) {
    button.addEventListener('click', () => { setRange(button.dataset.range); change({}); });
  }
  $('choice').addEventListener('submit', (event) => event.preventDefault());
  $('theme').addEventListener('change', () => theme($('theme').value));
  $('more').addEventListener('click', more);
  $('copy').addEventListener('click', copy);
  $('back').addEventListener('click', () => { const n = view.text.find(choice.state); ($('list').querySelector(`[data-state="${n}"]`) || $('states')).focus(); });
  const onto = (event) => {
    const { n, state } = event.target.dataset;
    if (n === undefined && state === undefined) hideTip();
    else showTip(event.target, Number(n === undefined ? state : n));
  };
  document.addEventListener('pointerover', onto);
  document.addEventListener('focusin', onto);
  document.addEventListener('keydown', (event) => { if (event.key === 'Escape') hideTip(); });
  document.addEventListener('scroll', hideTip, true);
  $('list').addEventListener('click', (event) => { if (event.target.dataset.state) follow(Number(event.target.dataset.state)); });
  brush($('curve'));
  addEventListener('hashchange', () => { recall(); show(); });
  let kept = '';
  try { kept = localStorage.getItem('theme') || ''; } catch { /* none for files here */ }
  theme(kept);
  $('made').textContent = JSON.stringify(pairs().map((pair) => ({ model: pair.model.name, dataset: pair.group.dataset, ...pair.model.made, ...pair.model.rule })), null, 1);
  recall();
  show();
}

begin();
