// States of one layer: which of them are asked for, in which order.

const SORTS = {
  energy: 'H, lowest first',
  high: 'H, highest first',
  correct: 'p(correct), highest first',
  last: 'p(last), highest first',
  entropy: 'entropy, lowest first',
  document: 'document and position',
  apart: 'farthest from the one beside',
};

/** Scores of anomalies, where a study has them: each is larger where a state is stranger. */
const SCORES = {
  surprisal: { say: 'surprisal, highest first', of: (view, s) => -view.logCorrect[s] },
  kinetic: { say: 'ln K, highest first', of: (view, s) => view.kinetic[s] },
  normed_kinetic: { say: 'ln K after the final norm, highest first', of: (view, s) => view.normed_kinetic[s] },
  kinetic_and_surprisal: { say: 'ln K + surprisal, highest first', of: (view, s) => view.kinetic[s] - view.logCorrect[s] },
  normed_kinetic_and_surprisal: {
    say: 'ln K after the final norm + surprisal, highest first',
    of: (view, s) => view.normed_kinetic[s] - view.logCorrect[s],
  },
  loop_energy: { say: 'loop energy, lowest first', of: (view, s) => -view.loop_energy[s] },
};

const SCORED = ['kinetic', 'normed_kinetic', 'loop_energy']; // what is kept of them

/** The states that are listed of a model at one layer, in the order of their energies. */
class Layer {
  constructor(group, model, layer) {
    const text = textOf(group);
    this.text = text;
    this.model = model;
    this.layer = layer.layer;
    this.states = layer.states;
    this.low = layer.low === null ? -Infinity : layer.low;
    this.high = layer.high === null ? Infinity : layer.high;
    this.complete = layer.listed === layer.states;
    this.energy = f4(layer.energy);
    this.at = u4(layer.at);
    this.last = u4(layer.last);
    this.correct = u4(layer.correct);
    this.top = u4(layer.top);
    this.logLast = f4(layer.log_p_last);
    this.logCorrect = f4(layer.log_p_correct);
    this.logTop = layer.log_p_top ? f4(layer.log_p_top) : null;
    this.entropy = f2(layer.entropy);
    this.scored = SCORED.every((name) => layer[name]);
    if (this.scored) for (const name of SCORED) this[name] = f4(layer[name]);
    this.curve = { extrapolated: bytesOf(layer.extrapolated) };
    for (const [name, values] of Object.entries(layer.curve)) this.curve[name] = f4(values);
    this.field = spread(f2(layer.field), model.rows, text.length);
    this.orders = new Map();
  }

  /** The state that ends in a token, or -1 if it is not listed. */
  state(n) {
    if (!this.states_n) {
      this.states_n = new Int32Array(this.text.length).fill(-1);
      this.at.forEach((token, s) => { this.states_n[token] = s; });
    }
    return this.states_n[n];
  }

  /** How many states lie lower, in all the layer; null where that is not known. */
  rank(s) {
    if (this.complete || this.energy[s] <= this.low) return s + 1;
    return this.energy[s] >= this.high ? this.states - (this.energy.length - 1 - s) : null;
  }

  /** How its states can be ordered, by name. */
  sorts() {
    const scores = this.scored ? Object.entries(SCORES).map(([name, { say }]) => [name, say]) : [];
    return { ...SORTS, ...Object.fromEntries(scores) };
  }

  /** What the probability of the top token lies between: older energies tell only the last and correct one's. */
  topBounds(s) {
    if (this.logTop && !Number.isNaN(this.logTop[s])) return [Math.exp(this.logTop[s]), Math.exp(this.logTop[s])];
    const last = Math.exp(this.logLast[s]), correct = Math.exp(this.logCorrect[s]);
    if (this.top[s] === this.last[s]) return [last, last];
    if (this.top[s] === this.correct[s]) return [correct, correct];
    const both = this.last[s] === this.correct[s] ? last : last + correct;
    return [Math.max(last, correct), Math.max(last, correct, 1 - both)];
  }

  /** All states in an order, found once. */
  order(sort, beside) {
    const key = sort === 'apart' ? `${sort} ${beside && beside.key}` : sort;
    if (!this.orders.has(key)) this.orders.set(key, this.sorted(sort, beside));
    return this.orders.get(key);
  }

  sorted(sort, beside) {
    const count = this.energy.length, value = new Float64Array(count);
    const by = {
      energy: (s) => s,
      high: (s) => -s,
      correct: (s) => -this.logCorrect[s],
      last: (s) => -this.logLast[s],
      entropy: (s) => this.entropy[s],
      document: (s) => this.at[s],
      ...Object.fromEntries(Object.entries(SCORES).map(([name, { of }]) => [name, (s) => -of(this, s)])),
      apart: (s) => (beside ? -Math.abs(this.energy[s] - beside.field[this.at[s]]) : 0),
    }[sort];
    for (let s = 0; s < count; s++) value[s] = by(s);
    return ascending(value);
  }

  /** The states of a range of energies, both ends in it, that hold a token, in an order. */
  select({ from, to, find, where, sort }, beside) {
    const first = place(this.energy, from), end = place(this.energy, to, true);
    const wanted = find ? this.saying(find) : null;
    const holds = {
      any: (s) => wanted[this.last[s]] || wanted[this.correct[s]] || wanted[this.top[s]],
      last: (s) => wanted[this.last[s]],
      correct: (s) => wanted[this.correct[s]],
      top: (s) => wanted[this.top[s]],
    }[where];
    if (sort === 'energy' && !wanted) return this.order(sort).subarray(first, Math.max(first, end));
    return this.order(sort, beside).filter((s) => s >= first && s < end && (!wanted || holds(s)));
  }

  /** Which tokens hold some letters, upper or lower case. */
  saying(letters) {
    const found = new Uint8Array(this.text.labels.length), small = letters.toLowerCase();
    this.text.labels.forEach((label, token) => {
      found[token] = Number(label.toLowerCase().includes(small) || named(label).toLowerCase().includes(small));
    });
    return found;
  }

  /** States of different last, correct and top tokens, and which of them each state is like; found once. */
  kinds() {
    if (!this.kinds_s) {
      const tokens = this.text.labels.length, key = new Float64Array(this.energy.length);
      for (let s = 0; s < key.length; s++) key[s] = (this.last[s] * tokens + this.correct[s]) * tokens + this.top[s];
      this.kinds_s = { examples: [], of: new Uint32Array(key.length) };
      const { examples, of } = this.kinds_s;
      for (const s of ascending(key)) {
        if (!examples.length || key[s] !== key[examples[examples.length - 1]]) examples.push(s);
        of[s] = examples.length - 1;
      }
    }
    return this.kinds_s;
  }

  /** The commonest last, correct and top tokens of some states, with counts. */
  triples(states, wanted) {
    const { examples, of } = this.kinds(), counts = new Uint32Array(examples.length), most = [];
    for (const s of states) counts[of[s]]++;
    counts.forEach((count, kind) => {
      if (!count || (most.length === wanted && count <= counts[most[wanted - 1]])) return;
      let at = most.length;
      while (at && counts[most[at - 1]] < count) at--;
      most.splice(at, 0, kind);
      most.length = Math.min(most.length, wanted);
    });
    return most.map((kind) => {
      const s = examples[kind];
      return { count: counts[kind], last: this.last[s], correct: this.correct[s], top: this.top[s] };
    });
  }
}

/** Numbers of some tokens, as one array over all of them. */
function spread(values, rows, length) {
  if (!rows) return values;
  const all = new Float32Array(length).fill(NaN);
  u4(rows).forEach((n, i) => { all[n] = values[i]; });
  return all;
}

const LAYERS = new Map();

/** A layer, decoded when it is first looked at. */
function layerOf(group, model, layer) {
  if (!LAYERS.has(layer)) {
    LAYERS.set(layer, Object.assign(new Layer(group, model, layer), { key: `${model.name}:${layer.layer}` }));
  }
  return LAYERS.get(layer);
}

const FIELDS = new Map();

/** H of each token at a layer, without the rest of the layer. */
function fieldOf(group, model, layer) {
  if (LAYERS.has(layer)) return LAYERS.get(layer).field;
  if (!FIELDS.has(layer)) FIELDS.set(layer, spread(f2(layer.field), model.rows, textOf(group).length));
  return FIELDS.get(layer);
}
