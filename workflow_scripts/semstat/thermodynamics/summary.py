"""What a study found, in words and in one table: reStructuredText that reads in a terminal too."""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ..statistics.curve import Interval
from .verdicts import SHALLOWEST, Beside, Verdict, beside, verdict

WIDTH = 79
"""Columns of the text; a terminal has 80."""

ROWS = 30
"""Rows of the table at most."""

SENTENCES = 4
"""Models × datasets of which it is said in words, at most; of more, how many have a well."""

NOTHING = "–"


class Ensemble(NamedTuple):
    """A model on a dataset, at the last layer that is measured of it."""

    model: str
    dataset: str


class Found(NamedTuple):
    """What is known of an ensemble's well.

    layer : the last one measured.
    blocks : of the model; after as many the layer is its output.
    readout : of layers before that one.
    states : how many.
    depth : energy that one state in 1,000 lies at or below, probability; NaN of fewer.
    deepest_l : layer → share of resamples in which its well is the deepest; empty where not known.
    random : whether the model's weights are.
    rivals : of how many of the last tokens the likeliest stands for the last one; None if of none.
    """

    layer: int
    blocks: int
    readout: str
    states: int
    depth: Interval[float]
    deepest_l: Mapping[int, float]
    random: bool = False
    rivals: int | None = None

    @property
    def deepest(self) -> tuple[int, float] | None:
        """The layer whose well is most surely the deepest, and how surely; of several, the last."""
        if len(self.deepest_l) < 2:
            return None
        return max(self.deepest_l.items(), key=lambda item: (item[1], item[0]))


def summarise(
    found: Mapping[Ensemble, Found],
    null_models: Mapping[str, str],
    null_datasets: Mapping[str, str],
    confidence: float,
) -> str:
    """Say whether there are wells, how deep, how sure, at which layer and beside which null.

    Parameters
    ----------
    found : what is known of each ensemble, in the order in which to say it.
    null_models : random twins and the like → the model that each is a null of.
    null_datasets : shuffled or random tokens → the text that they are made of.
    confidence : coverage of the intervals.
    """
    held_against = {one: _null_of(one, null_models, null_datasets) for one in found}
    null_of = {null: one for null, one in held_against.items() if one is not None and one in found}
    own = [one for one in found if one not in null_of]
    said = [_in_words(one, found, null_of, confidence) for one in own[:SENTENCES]]
    if len(own) > SENTENCES:
        said = [_counted(own, found, null_of)]
    title = "What the run found"
    parts = [title + "\n" + "=" * len(title), *map(_filled, said)]
    parts += [_table_of(found, null_of, confidence), _filled(_legend(confidence, bool(null_of)))]
    return "\n\n".join(parts) + "\n"


def _null_of(
    one: Ensemble, null_models: Mapping[str, str], null_datasets: Mapping[str, str]
) -> Ensemble | None:
    """The ensemble that one is a null of."""
    if one.model in null_models:
        return Ensemble(null_models[one.model], one.dataset)
    if one.dataset in null_datasets:
        return Ensemble(one.model, null_datasets[one.dataset])
    return None


def _counted(
    own: Sequence[Ensemble], found: Mapping[Ensemble, Found], null_of: Mapping[Ensemble, Ensemble]
) -> str:
    verdicts = {one: verdict(found[one].depth) for one in own}
    number = Counter(verdicts.values())
    said = (
        f"Of {len(own)} models × datasets, nulls aside, {number[Verdict.WELL]} have a "
        f"repetition well at the last layer measured, {number[Verdict.NONE]} have none, and of "
        f"{number[Verdict.UNDECIDED]} it is not decided."
    )
    held_against = set(null_of.values())
    wells = [one for one in own if verdicts[one] == Verdict.WELL and one in held_against]
    if wells:
        alone = sum(not _as_deep(one, found, null_of) for one in wells)
        said += f" Of the {len(wells)} wells that have a null, {alone} are told to be deeper."
    return said


def _as_deep(
    one: Ensemble, found: Mapping[Ensemble, Found], null_of: Mapping[Ensemble, Ensemble]
) -> list[Ensemble]:
    """Nulls of an ensemble than which its well is not told to be deeper."""
    nulls = [null for null, other in null_of.items() if other == one]
    depth = found[one].depth
    return [null for null in nulls if beside(found[null].depth, depth) != Beside.SHALLOWER]


def _in_words(
    one: Ensemble,
    found: Mapping[Ensemble, Found],
    null_of: Mapping[Ensemble, Ensemble],
    confidence: float,
) -> str:
    facts = found[one]
    answer = {
        Verdict.WELL: "a repetition well",
        Verdict.NONE: "no repetition well",
        Verdict.UNDECIDED: "not decided whether there is a repetition well",
    }[verdict(facts.depth)]
    return " ".join(
        [
            f"{_name(one.model)} on {_name(one.dataset)}: {answer} {_place(facts)}.",
            *_rivals_in_words(facts),
            *_depth_in_words(facts),
            *_layer_in_words(facts, confidence),
            _nulls_in_words(one, found, null_of),
        ]
    )


def _place(facts: Found) -> str:
    if facts.layer == facts.blocks:
        return f"at the final layer, {facts.layer}"
    return f"at layer {facts.layer} of {facts.blocks}, the last one measured, {_reading(facts)}"


def _reading(facts: Found) -> str:
    return f"as the {facts.readout.replace('_', ' ')} reads it"


def _rivals_in_words(facts: Found) -> list[str]:
    if facts.rivals is None:
        return []
    return [f"(For the last token stands the likeliest of the last {facts.rivals}.)"]


def _depth_in_words(facts: Found) -> list[str]:
    depth, of = facts.depth, verdict(facts.depth)
    if depth.value != depth.value:
        return [f"Its {facts.states:,} states are too few to tell its depth, which takes 1,000."]
    said = f"One state in 1,000 lies at or below H = {_interval(depth)}"
    side = {
        Verdict.WELL: "",
        Verdict.NONE: f", above {_number(SHALLOWEST, 2)}",
        Verdict.UNDECIDED: f", which may be on either side of {_number(SHALLOWEST, 2)}",
    }
    return [f"{said}{side[of]}."]


def _layer_in_words(facts: Found, confidence: float) -> list[str]:
    if facts.deepest is None:
        return []
    layer, share = facts.deepest
    where = f"layer {layer}, in {share:.0%} of resamples of the documents"
    if share < confidence:
        return [f"Which layer lies deepest is not decided; most often it is {where}."]
    lens = "" if layer == facts.blocks else f", {_reading(facts)}"
    return [f"Of all layers measured the deepest is {where}{lens}."]


def _nulls_in_words(
    one: Ensemble,
    found: Mapping[Ensemble, Found],
    null_of: Mapping[Ensemble, Ensemble],
) -> str:
    said = []
    for null in (null for null, other in null_of.items() if other == one):
        name = _name_of_null(null, one)
        if null.model != one.model:
            name = f"its {'random twin' if found[null].random else 'null'} {name}"
        how = beside(found[null].depth, found[one].depth)
        has = {
            Verdict.WELL: "has a well",
            Verdict.NONE: "has none",
            Verdict.UNDECIDED: "is not decided",
        }[verdict(found[null].depth)]
        said.append(f"{name} {has} ({how})")
    if not said:
        return "This study has no null model of it."
    nulls = f"Null models: {'; '.join(said)}."
    as_deep = _as_deep(one, found, null_of) if verdict(found[one].depth) == Verdict.WELL else []
    if as_deep:
        names = " or ".join(_name_of_null(null, one) for null in as_deep)
        nulls += f" The well is not told to be deeper than that of {names}."
    return nulls


def _name_of_null(null: Ensemble, one: Ensemble) -> str:
    return _name(null.dataset if null.model == one.model else null.model)


def _table_of(
    found: Mapping[Ensemble, Found], null_of: Mapping[Ensemble, Ensemble], confidence: float
) -> str:
    heads = ["model, layer / dataset", "well", f"depth [{confidence:.0%}]", "deepest", "as a null"]
    heads = heads if null_of else heads[:-1]
    rows: list[list[str]] = []
    last = None
    for one, facts in list(found.items())[:ROWS]:
        if one.model != last:
            of = "" if facts.layer == facts.blocks else f" of {facts.blocks}"
            rows.append([f"{_name(one.model)}, {facts.layer}{of}"])
            last = one.model
        known = facts.depth.value == facts.depth.value
        row = [f"- {_name(one.dataset)}", str(verdict(facts.depth))]
        row += [_interval(facts.depth) if known else NOTHING, _deepest(facts)]
        null = null_of.get(one)
        row += [beside(facts.depth, found[null].depth) if null else NOTHING]
        rows.append(row[: len(heads)])
    table = _simple_table(heads, rows)
    if len(found) > ROWS:
        table += f"\n\nThese are {ROWS} of {len(found)}; results/wells.csv has all of them."
    return table


def _deepest(facts: Found) -> str:
    if facts.deepest is None:
        return NOTHING
    layer, share = facts.deepest
    return f"{layer} ({share:.0%})"


def _simple_table(heads: list[str], rows: list[list[str]]) -> str:
    """A table of reStructuredText, whose first column is as narrow as names allow and lines have.

    A name that is too long keeps its beginning and its end.
    """
    full = [row for row in rows if len(row) > 1]
    widths = [max(len(row[at]) for row in [heads, *full]) for at in range(len(heads))]
    room = WIDTH - sum(widths[1:]) - 2 * (len(widths) - 1)
    widths[0] = min(max(len(row[0]) for row in [heads, *rows]), room)
    rule = "  ".join("=" * width for width in widths)

    def line(cells: list[str]) -> str:
        cells = [_shortened(cells[0], widths[0]), *cells[1:]]
        return "  ".join(map(str.ljust, cells, widths)).rstrip()

    return "\n".join([rule, line(heads), rule, *map(line, rows), rule])


def _shortened(text: str, width: int) -> str:
    if len(text) <= width:
        return text
    half = (width - 1) // 2
    return f"{text[: width - 1 - half]}…{text[len(text) - half :]}"


def _legend(confidence: float, nulls: bool) -> str:
    said = (
        f"Where H < 0 a model would rather repeat the last token than say the right one. Depth is "
        f"the H that one state in 1,000 lies at or below, with its {confidence:.0%} interval over "
        f"documents. There is a well where all of the interval is at or below "
        f"{_number(SHALLOWEST, 2)}, none where all of it is above; else that is not decided. "
        f"{_number(SHALLOWEST, 2)} is a convention, which untrained models may pass: read a well "
        f"beside its null. "
        f"Deepest is the layer with the lowest depth, and the share of resamples in which it is; "
        f"what an inner layer shows may be the reading's."
    )
    if nulls:
        said += (
            f" A null is {Beside.DEEPER} or {Beside.SHALLOWER} than what it is the null of where "
            f"their intervals do not overlap: a random twin than its model, shuffled or random "
            f"tokens than the text. A well no deeper than a random twin's takes no training, than "
            f"that of shuffled or random tokens no language."
        )
    return f"{said} All layers and numbers: results/wells.csv."


def _interval(depth: Interval[float]) -> str:
    value, low, high = (_number(part, 3) for part in depth)
    return f"{value} [{low}, {high}]"


def _number(x: float, digits: int) -> str:
    return f"{x:.{digits}f}".replace("-", "−")


def _name(name: str) -> str:
    """A name as it stands in reStructuredText, where an underscore at a word's end makes a link."""
    return re.sub(r"_(?![A-Za-z0-9])", r"\\_", name)


def _filled(text: str) -> str:
    return textwrap.fill(text, WIDTH, break_long_words=False, break_on_hyphens=False)
