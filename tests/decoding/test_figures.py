"""Figures of decodings show the numbers of their tables, and what is not there."""

import numpy as np
import pytest
from matplotlib.colors import to_hex

from tests.decoding.described import CURVES, decodings
from workflow_scripts.decoding.plot_costs import plot_costs
from workflow_scripts.decoding.plot_doses import plot_doses
from workflow_scripts.decoding.plot_tradeoffs import plot_tradeoffs
from workflow_scripts.semstat.decoding.cost_figures import draw_costs
from workflow_scripts.semstat.decoding.dose_figures import draw_doses
from workflow_scripts.semstat.decoding.figures import (
    BEHIND,
    FAMILIES,
    FAMILY_COLORS,
    OTHER,
    RESPONSES,
    conditions_of,
    draw_tradeoffs,
    family_of,
)
from workflow_scripts.semstat.decoding.tables import DECODINGS
from workflow_scripts.semstat.errors import InputError
from workflow_scripts.semstat.provenance import Provenance
from workflow_scripts.semstat.tables import table_of_rows, write_table

LONG = "an-organisation-of-many-words/a-model-of-a-very-long-name-13b-instruct"

FACTS = Provenance(model={"model": "m"}, tokens={"dataset": "d"})

DRAW = {"tradeoffs": draw_tradeoffs, "doses": draw_doses, "costs": draw_costs}


def some(*names):
    return {name: CURVES[name] for name in names}


def lines_of(axes, color):
    """Data of the curves of a colour, and of single points."""
    return [line for line in axes.lines if to_hex(line.get_color()) == to_hex(color)]


def curve(axes, color, points):
    """(points, 2) of the one line of a colour with so many points."""
    (line,) = (line for line in lines_of(axes, color) if len(line.get_xdata()) == points)
    return line.get_xydata()


def bars(axes):
    """Ends of all error bars, (bars, 2, 2)."""
    return np.array([ends for group in axes.collections for ends in group.get_segments()])


def titles(axes):
    return [each.get_title(loc="left") for each in axes if each.get_title(loc="left")]


def texts(axes):
    return [text.get_text() for text in axes.texts]


def values(rows, condition, *names):
    return [tuple(row[name] for name in names) for row in rows if row["condition"] == condition]


def test_families_are_those_of_methods_whatever_a_condition_is_called():
    assert family_of("min_p") == "cutting the tail" and family_of("go_back") == family_of(
        "energy_guard"
    )
    assert family_of("a_new_method") == family_of("beams") == OTHER
    rows = decodings({"greedy": CURVES["penalty"], "penalty": CURVES["greedy"]})
    assert [(c.name, c.family) for c in conditions_of(rows)] == [
        ("penalty", "greedy"),
        ("greedy", "refusing repetition"),
    ]


def test_conditions_of_a_family_are_told_apart():
    many = {f"c{i}": ("nucleus", "mass", [0.5]) for i in range(30)}
    looks = {(c.color, c.marker["marker"]) for c in conditions_of(decodings(many))}
    assert len(looks) == 30 and not {color for color, _ in looks} & {"k", "#000000"}


class TestTradeoffs:
    def test_a_row_a_measure_and_a_column_a_family(self):
        rows = decodings()
        figure = draw_tradeoffs(rows, "m on d")
        panels = np.array(figure.axes[: len(RESPONSES) * 4]).reshape(-1, 4)
        assert titles(figure.axes) == list(FAMILIES)
        assert [axes.get_ylabel() for axes in panels[:, 0]] == list(RESPONSES.values())
        assert {axes.get_xscale() for axes in panels.flat} == {"log"}
        for axes, name in zip(panels[:, 0], RESPONSES, strict=True):
            sampling = conditions_of(rows)[1]
            drawn = curve(axes, sampling.color, 6)
            assert drawn.tolist() == list(map(list, values(rows, "sampling", "perplexity", name)))

    def test_greedy_is_in_all_panels_and_other_families_are_behind(self):
        rows = decodings(some("greedy", "nucleus", "min-p", "dry"))
        figure = draw_tradeoffs(rows, "m on d")
        cutting, refusing = figure.axes[:2]
        greedy = values(rows, "greedy", "perplexity", "rep_4")
        for axes, grey in ((cutting, 1), (refusing, 2)):
            assert [tuple(p) for line in lines_of(axes, "k") for p in line.get_xydata()] == greedy
            behind = [line for line in lines_of(axes, BEHIND) if len(line.get_xdata()) > 2]
            assert len(behind) == grey and all(line.get_zorder() < 2 for line in behind)

    def test_ends_are_labelled_with_their_values_beside_their_points(self):
        figure = draw_tradeoffs(decodings(some("greedy", "guard", "guard-16")), "m on d")
        assert texts(figure.axes[0]) == ["−1", "0.5", "−0.3", "0.5"]
        boxes = [text.get_window_extent() for text in figure.axes[0].texts]
        for i, box in enumerate(boxes):
            assert not box.count_overlaps(boxes[i + 1 :])
            text = figure.axes[0].texts[i]
            point = figure.axes[0].transData.transform(text.xy)
            assert not box.contains(*point) and np.hypot(*(box.min - point)) < 60

    def test_a_point_alone_is_labelled_once_and_greedy_not(self):
        one = {"greedy": CURVES["greedy"], "k": ("top_k", "candidates", [1000000])}
        assert texts(draw_tradeoffs(decodings(one), "m on d").axes[0]) == ["1e+06"]
        alone = draw_tradeoffs(decodings(some("greedy")), "m on d")
        assert not texts(alone.axes[0]) and titles(alone.axes) == ["greedy"]
        assert len(lines_of(alone.axes[0], "k")) == 1

    def test_intervals_are_drawn_in_both_directions(self):
        rows = decodings(some("dry"))
        found = bars(draw_tradeoffs(rows, "m on d").axes[0])
        first = rows[0]
        across = [[first[f"perplexity_{end}"], first["rep_4"]] for end in ("low", "high")]
        up = [[first["perplexity"], first[f"rep_4_{end}"]] for end in ("low", "high")]
        for wanted in (across, up):
            assert any(np.allclose(ends, wanted) for ends in found)

    def test_few_prompts_leave_the_values_to_be_seen(self):
        rows = decodings(wide=100.0)
        axes = draw_tradeoffs(rows, "m on d").axes[0]
        perplexity = [row["perplexity"] for row in rows]
        low, high = axes.get_xlim()
        assert low < min(perplexity) and max(perplexity) < high
        assert high / low < 2 * (max(perplexity) / min(perplexity)) ** 3
        assert len(axes.get_xticks()) >= 2

    def test_no_repetition_at_all_is_at_the_bottom(self):
        axes = draw_tradeoffs(decodings(rep_4=0.0), "m on d").axes[0]
        low, high = axes.get_ylim()
        assert low < 0 and high >= 0.1


class TestDoses:
    def test_shares_stand_against_both_entropies_in_colours_of_families(self):
        rows = decodings(some("greedy", "nucleus", "guard"))
        figure = draw_doses(rows, "m on d")
        for axes, dose in zip(figure.axes[:2], ("drawn_entropy", "entropy"), strict=True):
            for name, family in (("nucleus", "cutting the tail"), ("guard", "refusing low energy")):
                drawn = curve(axes, FAMILY_COLORS[family], len(CURVES[name][2]))
                assert drawn.tolist() == list(map(list, values(rows, name, dose, "rep_4")))
        labels = [text.get_text() for text in figure.legends[0].get_texts()]
        assert labels == [
            "cutting the tail",
            "nucleus: mass",
            "refusing low energy",
            "guard: threshold",
            "greedy",
        ]

    def test_maxima_stand_side_by_side_at_zero(self):
        rows = decodings(some("greedy", "beams", "sampling", "dry"))
        axes = draw_doses(rows, "m on d").axes[-2]
        at = np.concatenate([line.get_xydata() for line in axes.lines if len(line.get_xdata())])
        zeros = [row for row in rows if row["drawn_entropy"] == 0]
        left = np.sort(at[at[:, 0] < 0, 0])
        left = left[left > axes.get_xlim()[0]]
        assert len(zeros) == len(left) == 1 + 2 + 1 + 4
        assert np.diff(left).min() > 0.01
        assert axes.get_xticklabels()[0].get_text() == "0" and axes.get_xticks()[0] < 0
        assert min(axes.get_xticks()[1:]) > 0

    def test_no_line_leads_out_of_the_strip(self):
        curves = {"sampling": ("sampling", "sampling_temperature", [0, 0.5, 1])}
        rows = decodings(curves)
        rows[0] |= dict.fromkeys(("drawn_entropy", "drawn_entropy_low", "drawn_entropy_high"), 0.0)
        axes = draw_doses(rows, "m on d").axes[0]
        drawn = lines_of(axes, FAMILY_COLORS["cutting the tail"])
        assert sorted(len(line.get_xdata()) for line in drawn) == [1, 2]

    def test_without_any_drawing_there_is_the_strip_alone(self):
        axes = draw_doses(decodings(some("greedy", "dry")), "m on d").axes[-2]
        assert [label.get_text() for label in axes.get_xticklabels()] == ["0"]


class TestCosts:
    def test_speeds_are_over_greedys_below_each_other(self):
        rows = decodings(some("nucleus", "greedy", "beams"))
        axes = draw_costs(rows, "m on d").axes[0]
        names = [label.get_text() for label in axes.get_yticklabels()]
        assert names == ["greedy", "nucleus: mass", "beams: beams"]
        drawn = curve(axes, FAMILY_COLORS[OTHER], 2)
        wanted = [speed / 40 for (speed,) in values(rows, "beams", "tokens_per_second")]
        assert drawn[:, 0] == pytest.approx(wanted) and drawn[0, 1] < drawn[1, 1]
        assert axes.get_ylim()[0] > axes.get_ylim()[1], "from above"
        assert texts(axes) == ["0.5", "0.7", "0.8", "0.9", "0.95", "2", "4"]

    def test_without_greedy_they_are_as_they_are(self):
        axes = draw_costs(decodings(some("nucleus")), "m on d").axes[0]
        assert axes.get_xlabel() == "tokens per second"
        assert axes.get_xlim()[0] < 36 < axes.get_xlim()[1] and len(axes.get_xticks()) >= 2

    def test_what_stands_still_is_an_arrow_at_the_left(self):
        rows = decodings(some("greedy", "beams"))
        rows[-1]["tokens_per_second"] = 0.0
        axes = draw_costs(rows, "m on d").axes[0]
        (arrow,) = (line for line in axes.lines if line.get_marker() == "<")
        assert arrow.get_xdata()[0] == axes.get_xlim()[0] > 0
        still = draw_costs(decodings(tokens_per_second=0.0), "m on d").axes[0]
        assert still.get_xlabel() == "tokens per second"


@pytest.mark.parametrize("name", DRAW)
@pytest.mark.parametrize("curves", [CURVES, some("greedy"), some("guard")], ids=len)
def test_names_of_any_length_stay_inside(name, curves):
    called = {f"{LONG}-{condition}": of for condition, of in curves.items()}
    figure = DRAW[name](decodings(called), f"{LONG} on {LONG}")
    figure.draw_without_rendering()
    boxes = [axes.get_tightbbox() for axes in figure.axes]
    boxes += [figure._suptitle.get_window_extent()]
    boxes += [legend.get_window_extent() for legend in figure.legends]
    for box in boxes:
        assert box.x0 >= -1 and box.x1 <= figure.bbox.width + 1
        assert box.y0 >= -1 and box.y1 <= figure.bbox.height + 1
    panels = [axes for axes in figure.axes if axes.axison]
    assert all(axes.get_window_extent().width > 90 for axes in panels)


class TestCommands:
    @pytest.fixture
    def write(self, tmp_path):
        def of(name, **head):
            path = tmp_path / f"{name}-{len(list(tmp_path.iterdir()))}.parquet"
            rows = decodings(some(name), **head)
            write_table(path, table_of_rows(rows, DECODINGS), FACTS)
            return path

        return of

    @pytest.mark.parametrize("plot", [plot_tradeoffs, plot_doses, plot_costs])
    def test_a_file_a_condition_becomes_a_figure(self, plot, write, tmp_path):
        drawn = {"svg": tmp_path / "f.svg", "pdf": tmp_path / "f.pdf"}
        plot([write("greedy"), write("nucleus")], **drawn)
        svg = drawn["svg"].read_text(encoding="utf-8")
        for text in ("smollm2-135m on sotu", "nucleus: mass", "greedy"):
            assert f"<!-- {text}" in svg, text
        assert drawn["pdf"].stat().st_size > 0

    def test_files_that_do_not_belong_together_are_refused(self, write, tmp_path):
        drawn = {"svg": tmp_path / "f.svg", "pdf": tmp_path / "f.pdf"}
        twice = [write("dry"), write("dry")]
        with pytest.raises(InputError, match="the condition dry once more"):
            plot_doses(twice, **drawn)
        with pytest.raises(InputError, match=r"of m on wiki, and .* of smollm2-135m on sotu"):
            plot_costs([twice[0], write("block", model="m", dataset="wiki")], **drawn)
        empty = tmp_path / "empty.parquet"
        write_table(empty, table_of_rows([], DECODINGS), FACTS)
        with pytest.raises(InputError, match=r"empty.parquet: has no rows"):
            plot_tradeoffs([empty], **drawn)
