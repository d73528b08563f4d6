// Text of documents, token by token. All of it becomes text nodes, never markup.

const DATA = JSON.parse(document.getElementById('data').textContent);

/** An element with what is in it: other elements, or text. */
function make(name, properties, ...inside) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...inside);
  return element;
}

/** What a token says, with signs for what one would not see. */
function visible(text) {
  return text.replace(/[\u0000-\u001f\u007f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g, (letter) => {
    const code = letter.charCodeAt(0);
    if (letter === '\n') return '⏎';
    const digits = code.toString(16);
    return code < 128 ? `\\x${digits.padStart(2, '0')}` : `\\u${digits.padStart(4, '0')}`;
  });
}

/** A token by itself, with signs for the spaces at its ends. */
const named = (label) => visible(label).replace(/^ +| +$/g, (spaces) => '␣'.repeat(spaces.length));

/** The documents of a dataset, as models of one tokenizer read them. */
class Text {
  constructor(group) {
    this.labels = group.labels;
    this.pieces = group.pieces;
    this.documents = group.documents;
    this.start = Uint32Array.from(group.documents.start);
    this.position = u4(group.position);
    this.token = u4(group.token);
    this.length = this.token.length;
    this.replaced = group.replaced ? bytesOf(group.replaced) : null; // where another token stands than in the text
  }

  /** What one token says in its place; nothing, if a later one says it. */
  says(n) {
    const piece = this.pieces[n];
    return piece === undefined ? this.labels[this.token[n]] : piece;
  }

  document(n) {
    return place(this.start, n, true) - 1;
  }

  /** Whether all of a token's document is in the page. */
  whole(n) {
    return Boolean(this.documents.whole[this.document(n)]);
  }

  /** Whether a token is the last one of its document, at which no state ends. */
  ends(n) {
    return this.whole(n) && this.start[this.document(n) + 1] === n + 1;
  }

  /** What a token is called. */
  name(n) {
    const at = this.document(n), { shard, doc } = this.documents;
    return `${shard[at]}.${doc[at]}.${this.position[n]}`;
  }

  /** The token of such a name, or -1. */
  find(name) {
    const [shard, doc, position] = name.split('.').map(Number);
    for (let at = 0; at < this.start.length - 1; at++) {
      if (this.documents.shard[at] !== shard || this.documents.doc[at] !== doc) continue;
      return this.beside(this.start[at], position);
    }
    return -1;
  }

  /** Tokens of the page that are so near one in its document: [first, end). */
  near(n, context) {
    const at = this.document(n), positions = this.position.subarray(this.start[at], this.start[at + 1]);
    const here = this.position[n];
    return [this.start[at] + place(positions, here - context), this.start[at] + place(positions, here + context, true)];
  }

  /** The token at a position in the document of another one, or −1 if it is not in the page. */
  beside(n, position) {
    const at = this.document(n), end = this.start[at + 1];
    const found = this.start[at] + place(this.position.subarray(this.start[at], end), position);
    return found < end && this.position[found] === position ? found : -1;
  }

  /** Whether a token was put in the place of the text's own. */
  isReplaced(n) {
    return Boolean(this.replaced && this.replaced[n]);
  }

  /** Spans of the tokens first … end - 1, coloured by `energy(n)`; those of one character are one. */
  spans(first, end, energy, mark) {
    const made = [];
    let begin = first;
    for (let n = first; n < end; n++) {
      if (n > first && this.position[n] !== this.position[n - 1] + 1) {
        made.push(make('span', { className: 'gap' }, ' […] '));
        begin = n;
      }
      const says = this.says(n);
      if (says === '' && n < end - 1 && this.position[n + 1] === this.position[n] + 1) continue;
      const span = make('span', { className: mark(begin, n) }, says === '' ? '…' : visible(says));
      if (this.isReplaced(n)) span.classList.add('replaced');
      span.style.backgroundColor = colour(energy(n));
      span.dataset.first = begin;
      span.dataset.n = n;
      made.push(span);
      if (says.includes('\n')) made.push(document.createTextNode('\n'));
      begin = n + 1;
    }
    return made;
  }
}

const TEXTS = new Map();

function textOf(group) {
  if (!TEXTS.has(group)) TEXTS.set(group, new Text(group));
  return TEXTS.get(group);
}
