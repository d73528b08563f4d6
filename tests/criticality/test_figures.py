"""Figures of sweeps show the numbers of their tables, and what is not there."""

import numpy as np
import pytest
from matplotlib.colors import to_hex

from tests.criticality.swept import LENGTHS, TEMPERATURES, crossovers, observables
from workflow_scripts.criticality.plot_crossovers import plot_crossovers
from workflow_scripts.criticality.plot_diversity import plot_diversity
from workflow_scripts.criticality.plot_observables import plot_observables
from workflow_scripts.criticality.plot_phases import plot_phases
from workflow_scripts.semstat.criticality.curve_figures import (
    PANELS,
    draw_diversity,
    draw_observables,
)
from workflow_scripts.semstat.criticality.figures import (
    LABELS,
    borders,
    draw_crossovers,
    draw_phases,
)
from workflow_scripts.semstat.criticality.tables import CROSSOVERS, OBSERVABLES, OBSERVED
from workflow_scripts.semstat.errors import InputError
from workflow_scripts.semstat.figures import ramp
from workflow_scripts.semstat.provenance import Provenance
from workflow_scripts.semstat.tables import table_of_rows, write_table

LONG = "an-organisation-of-many-words/a-model-of-a-very-long-name-13b-instruct"

FACTS = Provenance(model={"model": "m"}, tokens={"dataset": "d"})


def swept(**given):
    return table_of_rows(observables(**given), OBSERVABLES).to_pylist()


def places(**given):
    return table_of_rows(crossovers(**given), CROSSOVERS).to_pylist()


def phases(name="near_looping", **given):
    return draw_phases({"m": swept(**given)}, {"m": places(**given)}, name, "m on d")


def cells(axes):
    return axes.collections[0]


def points(axes):
    """(x, y, whether hollow) of marks that stand alone."""
    lines = [line for line in axes.lines if len(line.get_xdata()) == 1]
    return [
        (line.get_xdata()[0], line.get_ydata()[0], str(line.get_markerfacecolor()) == "none")
        for line in lines
        if line.get_marker() == "o"
    ]


def crosses(axes):
    return [line.get_ydata()[0] for line in axes.lines if line.get_marker() == "x"]


def curves(axes):
    return [line for line in axes.lines if len(line.get_xdata()) > 2]


def titles(figure):
    return [axes.get_title(loc="left") for axes in figure.axes if axes.get_visible()]


def test_borders_of_cells_are_in_the_middle():
    assert borders(np.array([0.0, 0.2, 0.6]), 0.1) == pytest.approx([-0.1, 0.1, 0.4, 0.8])
    assert borders(np.array([7.0]), 1.0) == pytest.approx([6.5, 7.5])


class TestPhases:
    def test_a_cell_has_the_value_of_its_sampling_temperature_and_length(self):
        axes = phases().axes[0]
        mesh = cells(axes)
        value_ho = mesh.get_array()
        assert value_ho.shape == (len(LENGTHS), len(TEMPERATURES))
        row = next(
            row for row in swept() if (row["length"], row["sampling_temperature"]) == (256, 0.8)
        )
        assert value_ho[1, TEMPERATURES.index(0.8)] == row["near_looping"]
        corner = mesh.get_coordinates()
        assert corner[0, :3, 0].tolist() == pytest.approx([0, 0.1, 0.3])  # none below 0
        assert corner[:, 0, 1].tolist() == pytest.approx((128 * 2.0 ** np.arange(-0.5, 4)).tolist())
        assert mesh.norm.vmin == 0 and mesh.norm.vmax == 1

    def test_half_is_marked_and_hollow_where_it_is_unsure(self):
        known = points(phases().axes[0])
        assert [y for _, y, _ in known] == list(LENGTHS)
        assert known[2] == (0.8, 512, False)
        rows = places(unsure=["near_looping"])
        figure = draw_phases({"m": swept()}, {"m": rows}, "near_looping", "m on d")
        assert all(hollow for *_, hollow in points(figure.axes[0]))
        (text,) = figure.legends[0].get_texts()
        assert text.get_text() == "half of texts in loops, in fewer than half of the draws"
        rows = places(without=["near_looping"])
        figure = draw_phases({"m": swept()}, {"m": rows}, "near_looping", "m on d")
        assert not points(figure.axes[0]) and not figure.legends

    def test_what_there_is_not_has_no_cell(self):
        mesh = cells(phases("heat_capacity").axes[0])
        assert mesh.get_array().mask[:, 0].all() and not mesh.get_array().mask[:, 1:].any()
        assert cells(phases("fisher").axes[0]).norm.vmin > 0
        mesh = cells(phases("entering").axes[0])
        assert not mesh.get_array().mask.any()  # zero is a number, if the least of its scale
        assert mesh.get_array().min() == mesh.norm.vmin > 0
        rows = [row | {"leaving": None} for row in swept()]
        mesh = cells(draw_phases({"m": rows}, {}, "leaving", "m on d").axes[0])
        assert mesh.get_array().mask.all()

    @pytest.mark.parametrize("name", OBSERVED)
    def test_all_observables_can_be_drawn(self, name):
        assert LABELS[name] in [axes.get_ylabel() for axes in phases(name).axes]


class TestObservables:
    def test_a_line_a_length_and_the_longest_of_nulls(self):
        writers = {"m": swept(), "bigrams": swept(middle=0.4, lengths=LENGTHS[:2])}
        figure = draw_observables(writers, places(), PANELS["texts"], "m on d")
        assert titles(figure) == [LABELS[name] for name in PANELS["texts"]]
        *own, null = curves(figure.axes[PANELS["texts"].index("rep_4")])
        assert [to_hex(line.get_color()) for line in own] == [
            to_hex(color) for color in ramp(LENGTHS).values()
        ]
        for line, length, rows in [
            *((line, length, writers["m"]) for line, length in zip(own, LENGTHS, strict=True)),
            (null, 256, writers["bigrams"]),
        ]:
            assert line.get_xdata().tolist() == list(TEMPERATURES)
            wanted = [row["rep_4"] for row in rows if row["length"] == length]
            assert line.get_ydata().tolist() == wanted
        assert null.get_linestyle() == "--"
        texts = [text.get_text() for text in figure.legends[0].get_texts()]
        assert texts == [f"{length:,} tokens" for length in LENGTHS] + ["bigrams, 256 tokens"]

    def test_what_there_is_not_is_a_gap_and_a_rate_of_zero_goes_down(self):
        axes = dict(zip(PANELS["texts"], self.drawn("texts").axes, strict=True))
        entering, leaving = curves(axes["entering"])[0], curves(axes["leaving"])[0]
        assert entering.get_ydata()[-1] == 0 < axes["entering"].get_ylim()[0]
        assert np.isnan(leaving.get_ydata()[-1]) and np.isfinite(leaving.get_ydata()[0])
        axes = dict(zip(PANELS["fluctuations"], self.drawn("fluctuations").axes, strict=True))
        assert np.isnan(curves(axes["fisher"])[0].get_ydata()[0])

    def test_places_stand_above_their_panels_and_crossings_in_them(self):
        axes = dict(zip(PANELS["fluctuations"], self.drawn("fluctuations").axes, strict=True))
        known = points(axes["heat_capacity"])
        assert [x for x, *_ in known] == pytest.approx([0.7, 0.75, 0.8, 0.85])
        assert all(y > 1 for _, y, _ in known) and not points(axes["token_binder"])
        vertical = [line for line in axes["energy_binder"].lines if line.get_linestyle() == ":"]
        assert [line.get_xdata()[0] for line in vertical] == pytest.approx([0.75, 0.8, 0.85])
        assert all(hollow for *_, hollow in points(axes["energy_binder"]))

    def test_far_negative_cumulants_leave_the_rest_to_be_seen(self):
        axes = dict(zip(PANELS["fluctuations"], self.drawn("fluctuations").axes, strict=True))
        assert axes["energy_binder"].get_yscale() == "symlog"
        assert axes["token_binder"].get_yscale() == "linear"

    def test_an_observable_that_nothing_has_is_an_empty_panel(self):
        rows = [row | {"depth": None, "depth_low": None, "depth_high": None} for row in swept()]
        figure = draw_observables({"m": rows}, [], ["depth", "fisher"], "m on d")
        assert titles(figure) == ["depth of the well  [H]", "Fisher information  [1/text]"]

    def drawn(self, panels):
        rows = places(unsure=["energy_binder"], without=["token_binder"])
        return draw_observables({"m": swept()}, rows, PANELS[panels], "m on d")


class TestCrossovers:
    def test_a_row_an_observable_and_a_panel_a_writer(self):
        figure = draw_crossovers({"m": places(), "bigrams": places(middle=0.5)}, "m on d")
        own, null = figure.axes
        assert titles(figure) == ["m", "bigrams"]
        names = [label.get_text().replace("\n", " ") for label in own.get_yticklabels()]
        assert names[0] == "half of texts in exact loops" and names[2] == "entering = leaving"
        assert names[-1] == "crossing of Binder cumulant, tokens" and len(names) == 10
        known = points(own)
        assert len(known) == 8 * 4 + 2 * 3 == len(points(null))
        first = sorted((y, x) for x, y, _ in known)[:4]
        assert [x for _, x in first] == pytest.approx([0.7, 0.75, 0.8, 0.85])  # shortest uppermost
        assert all(-0.5 < y < 0.5 for y, _ in first)
        assert {to_hex(line.get_color()) for line in null.lines} == {"#666666"}

    def test_places_that_are_not_there_are_shown_as_such(self):
        rows = places(without=["looping"], unsure=["near_looping"])
        axes = draw_crossovers({"m": rows}, "m on d").axes[0]
        assert len(crosses(axes)) == 4 and all(-0.5 < y < 0.5 for y in crosses(axes))
        hollow = [y for *_, y, empty in points(axes) if empty]
        assert len(hollow) == 4 and all(0.5 < y < 1.5 for y in hollow)
        assert axes.get_xticklabels()[-1].get_text() == "none"
        ends = [x for x, *_ in points(axes)]
        assert axes.get_xticks()[-1] > max(ends) + 0.01

    def test_a_sweep_without_any_place_is_drawn(self):
        kinds = {row["observable"] for row in places()}
        axes = draw_crossovers({"m": places(without=kinds)}, "m on d").axes[0]
        assert len(crosses(axes)) == 38 and not points(axes)


def test_loops_are_drawn_against_both_entropies():
    rows = swept()
    figure = draw_diversity({"m": rows, "bigrams": swept(middle=0.4)}, "m on d")
    assert [axes.get_xlabel() for axes in figure.axes[::3]] == [
        "conditional entropy  [nats]",
        "marginal entropy  [nats]",
    ]
    of_longest = [row for row in rows if row["length"] == 1024]
    for axes, against in zip(figure.axes[::3], ("conditional", "marginal"), strict=True):
        line = curves(axes)[3]
        assert line.get_xdata().tolist() == [row[against] for row in of_longest]
        assert line.get_ydata().tolist() == [row["near_looping"] for row in of_longest]
        assert len(curves(axes)) == 5


@pytest.mark.parametrize("writers", [1, 2, 6])
@pytest.mark.parametrize("lengths", [LENGTHS, (64,)])
def test_names_of_any_length_stay_inside(writers, lengths):
    of = {f"{i} {LONG}": swept(lengths=lengths) for i in range(writers)}
    at = {name: places(lengths=lengths, without=["looping"]) for name in of}
    title = f"{LONG} on {LONG}"
    figures = [
        draw_phases(of, at, "near_looping", title),
        draw_observables(of, next(iter(at.values())), PANELS["texts"], title),
        draw_crossovers(at, title),
        draw_diversity(of, title),
    ]
    for figure in figures:
        figure.draw_without_rendering()
        shown = [axes for axes in figure.axes if axes.get_visible()]
        boxes = [figure._suptitle.get_window_extent()]
        boxes += [legend.get_window_extent() for legend in figure.legends]
        boxes += [axes.get_tightbbox() for axes in shown]
        for box in boxes:
            assert box.x0 >= -1 and box.x1 <= figure.bbox.width + 1
            assert box.y0 >= -1 and box.y1 <= figure.bbox.height + 1
        assert all(axes.get_window_extent().height > 60 for axes in shown)


class TestCommands:
    @pytest.fixture
    def drawn(self, tmp_path):
        return {"svg": tmp_path / "f.svg", "pdf": tmp_path / "f.pdf"}

    @pytest.fixture
    def files(self, tmp_path):
        def write(kind, rows, schema):
            path = (
                tmp_path / f"{kind}-{rows[0]['model']}-{rows[0]['by']}-{rows[0]['dataset']}.parquet"
            )
            write_table(path, table_of_rows(rows, schema), FACTS)
            return path

        def of(**head):
            return (
                write("observables", observables(**head), OBSERVABLES),
                write("crossovers", crossovers(**head), CROSSOVERS),
            )

        return of

    def test_sweeps_become_figures(self, files, drawn):
        swept_by = [files(), files(by="bigrams"), files(model="twin")]
        of, at = (list(paths) for paths in zip(*swept_by, strict=True))
        for draw in (
            lambda: plot_phases(observables=of, crossovers=at, **drawn),
            lambda: plot_crossovers(at, **drawn),
            lambda: plot_diversity(of, **drawn),
            lambda: plot_observables(observables=of, crossovers=at[0], show="texts", **drawn),
        ):
            draw()
            svg = drawn["svg"].read_text(encoding="utf-8")
            for said in ("smollm2-135m on sotu", "bigrams", "twin"):
                assert f"<!-- {said}" in svg, said
            assert drawn["pdf"].stat().st_size > 0

    def test_an_observable_that_is_not_is_refused(self, files, drawn):
        of, at = files()
        with pytest.raises(InputError, match=r"loops is no observable; give one of looping, near"):
            plot_phases(observables=[of], crossovers=[at], observable="loops", **drawn)

    def test_files_that_do_not_belong_together_are_refused(self, files, drawn):
        of, _ = files()
        with pytest.raises(InputError, match="the writer smollm2-135m once more"):
            plot_diversity([of, of], **drawn)
        with pytest.raises(InputError, match=r"of wiki, and .* of sotu; draw a figure for each"):
            plot_diversity([of, files(dataset="wiki")[0]], **drawn)

    def test_a_null_of_another_model_is_called_by_both(self, files, drawn):
        of = [files(**head)[0] for head in ({}, {"by": "bigrams"}, {"by": "bigrams", "model": "t"})]
        plot_diversity(of, **drawn)
        assert "bigrams of t, 1,024 tokens" in drawn["svg"].read_text(encoding="utf-8")
