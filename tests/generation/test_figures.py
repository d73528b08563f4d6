"""Figures of what a model writes show the numbers of their tables."""

import numpy as np
import pytest
from matplotlib.colors import to_hex

from tests.generation.written import found_schedule, provenance
from workflow_scripts.generation.compare_conditions import compare_conditions
from workflow_scripts.generation.plot_comparisons import plot_comparisons
from workflow_scripts.generation.plot_conditions import plot_conditions
from workflow_scripts.generation.plot_costs import plot_costs
from workflow_scripts.generation.plot_entropies import plot_entropies
from workflow_scripts.generation.plot_held import plot_held
from workflow_scripts.generation.plot_schedules import plot_schedules
from workflow_scripts.semstat.errors import InputError
from workflow_scripts.semstat.figures import styles_of
from workflow_scripts.semstat.generation.condition_figures import (
    draw_conditions,
    draw_costs,
    limits,
)
from workflow_scripts.semstat.generation.figures import (
    Binned,
    draw_entropies,
    draw_held,
    draw_schedules,
)
from workflow_scripts.semstat.generation.schedule_file import ScheduleFile, write_schedule
from workflow_scripts.semstat.generation.tables import (
    ALL,
    CONDITION_NUMBERS,
    CONDITIONS,
    ENTROPIES,
    ENTROPY_NUMBERS,
    FOUND_ON,
    HELD_OUT,
)
from workflow_scripts.semstat.provenance import Provenance
from workflow_scripts.semstat.tables import interval_columns, table_of_rows, write_table

FACTS = provenance("constant")

HEAD = {"model": "m", "dataset": "d", "method": "constant", "documents": 4}


def entropies(prompts=ALL, positions=200, condition="c", **given):
    """Rows of an entropies table: everything 3 ± 1, or as given."""
    numbers = dict.fromkeys(ENTROPY_NUMBERS, 3.0) | {"cap": 6.0, "cross": 4.0} | given
    rows = []
    for t in range(positions):
        at = {name: value[t] if np.ndim(value) else value for name, value in numbers.items()}
        row = interval_columns({name: (v, v - 1, v + 1) for name, v in at.items()})
        row |= HEAD | {"condition": condition, "prompts": prompts, "position": t + 1}
        rows.append(row | {"runs": 30.0, "noise": 0.4})
    return rows


def condition(name, prompts=ALL, method="constant", spent=0, **given):
    """A row of a conditions table: everything 0.5 ± 0.1, or as given."""
    numbers = dict.fromkeys(CONDITION_NUMBERS, 0.5) | given
    row = interval_columns({key: (v, v - 0.1, v + 0.1) for key, v in numbers.items()})
    row |= HEAD | {"condition": name, "prompts": prompts, "method": method, "runs": 30}
    row |= {"tokens": 1000, "target": 5.0, "fit_to": 300}
    return row | {"spent_tokens": spent, "spent_seconds": spent / 100}


def points(axes):
    """Where error bars stand, and the floors."""
    marks = [line for line in axes.lines if len(line.get_xdata()) == 1]
    return [(line.get_marker(), line.get_ydata()[0]) for line in marks]


def curves(axes):
    return [line for line in axes.lines if len(line.get_xdata()) > 2]


def test_bins_hold_every_position_once_and_the_first_alone():
    binned = Binned.of(entropies(positions=1000))
    assert binned.count_g.sum() == 1000 and binned.first_g[0] == 0
    assert (binned.count_g[:4] == 1).all() and binned.position[:2].tolist() == [1, 2]
    assert len(binned.position) <= 37
    position_t = np.arange(1.0, 1001)
    assert (binned.mean(position_t) >= binned.position - 1e-9).all()  # arithmetic and geometric
    assert np.isnan(binned.mean(np.where(position_t == 500, np.nan, 1))).sum() == 1
    assert Binned.of(entropies(positions=1)).position.tolist() == [1]


def test_entropies_are_drawn_with_their_cap_and_bounds():
    marginal = np.linspace(3, 5, 200)
    extrapolated = np.where(np.arange(200) < 100, 3.5, np.nan)
    rows = {"1": entropies(marginal=marginal, extrapolated=extrapolated, divergence=2.0)}
    figure = draw_entropies(rows, "m on d")
    plain, beyond, conditional, difference = figure.axes
    value, cap = curves(plain)
    assert value.get_ydata()[0] == 3 and value.get_ydata()[-1] == pytest.approx(5, abs=0.2)
    assert (cap.get_ydata() == 6).all() and cap.get_linestyle() == ":"
    dashed = curves(beyond)[0].get_ydata()
    assert dashed[0] == 3.5 and np.isnan(dashed[-1])
    assert [line.get_ydata()[0] for line in curves(beyond)] == [3.5, 3, 4]
    assert (curves(conditional)[0].get_ydata() == 3).all()
    assert curves(difference)[1].get_ydata() == pytest.approx(np.log(30))
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["1"]


def test_held_entropies_have_a_band_of_the_noise_of_their_mean():
    rows = entropies(FOUND_ON, marginal=4.9) + entropies(HELD_OUT, marginal=5.2)
    figure = draw_held({"a": rows, "b": rows, "c": rows, "d": rows}, 5.0, "m on d")
    shown = [axes for axes in figure.axes if axes.get_visible()]
    assert [axes.get_title(loc="left") for axes in shown] == list("abcd")
    found_on, held_out = curves(shown[0])
    assert (found_on.get_ydata() == pytest.approx(4.9)) and found_on.get_linestyle() == "--"
    assert held_out.get_ydata() == pytest.approx(5.2)
    noise = shown[0].collections[-1].get_paths()[0].vertices[:, 1]
    assert (noise.min(), noise.max()) == pytest.approx((4.8, 5.2))  # 0.4 nats of 4 prompts


def test_schedules_show_what_was_not_reached():
    schedule_t = np.full(50, 0.9)
    solved_t3 = np.column_stack([np.linspace(0.8, 1, 50), np.full(50, 5.0), np.ones(50)])
    solved_t3[:3, 2] = 0
    lines = draw_schedules({"stepwise": (solved_t3, schedule_t)}, "m on d").axes[0].lines
    assert [(line.get_marker(), len(line.get_xdata())) for line in lines] == [
        (".", 47),
        ("x", 3),
        ("None", 50),
    ]
    solved_t3[:, 0], solved_t3[:, 2] = 0.9, 1
    lines = draw_schedules({"optimised": (solved_t3, schedule_t)}, "m on d").axes[0].lines
    assert sum(len(line.get_xdata()) for line in lines) == 50  # nothing was smoothed


def test_errors_stand_at_their_cost_over_the_noise():
    rows = [
        condition("one", group, spent=spent, rmse_near=rmse, floor_near=0.3, rmse_far=0.7)
        for group, rmse in ((HELD_OUT, 0.6), (FOUND_ON, 0.4))
        for spent in (36_000,)
    ]
    rows += [condition("zero", HELD_OUT, rmse_near=0.9, floor_near=0.2)]
    rows[-1]["rmse_far"] = None
    near, far = draw_costs(rows, "m on d").axes
    one, zero = (points(near)[at][0] for at in (0, 4))
    assert one != zero
    expected = [(one, 0.6), ("_", 0.3), (one, 0.4), ("_", 0.3), (zero, 0.9), ("_", 0.2)]
    assert points(near) == expected
    assert [y for _, y in points(far)] == [0.7, 0.5, 0.7, 0.5]
    x = {line.get_ydata()[0]: line.get_xdata()[0] for line in near.lines}
    assert x[0.6] == pytest.approx(36_000, rel=0.1) and x[0.9] < 5_000
    assert near.get_xticklabels()[0].get_text() == "0"


def test_constants_are_a_line_by_entropy_and_the_rest_points():
    rows = [
        condition("at-1.2", marginal=6.0, rep_4=0.1),
        condition("at-0.6", marginal=3.0, rep_4=0.4),
        condition("stepwise", method="stepwise", marginal=5.0, rep_4=0.2),
        condition("at-1.0", marginal=5.0, rep_4=0.2),
    ]
    figure = draw_conditions(rows, "marginal", "m on d")
    line = curves(figure.axes[0])[0]
    assert line.get_xdata().tolist() == [3, 5, 6] and line.get_ydata().tolist() == [0.4, 0.2, 0.1]
    point = next(line for line in figure.axes[0].lines if len(line.get_xdata()) == 1)
    assert (point.get_xdata()[0], point.get_ydata()[0]) == (5, 0.2)
    assert to_hex(point.get_color()) == styles_of(["stepwise"])["stepwise"][0].lower()
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["constants", "stepwise"]
    assert draw_conditions(rows[2:3], "conditional", "m on d").axes


def test_wide_intervals_do_not_hide_the_values():
    rows = [condition("a", rep_4=0.2), condition("b", rep_4=0.3)]
    assert limits(rows, ["rep_4"]) == pytest.approx((0.1 - 0.012, 0.4 + 0.012))
    rows[0] |= {"rep_4_low": -9.0, "rep_4_high": None}
    assert limits(rows, ["rep_4"]) == pytest.approx((0.1 - 0.012, 0.4 + 0.012))
    rows[0]["rep_4_low"] = 0.15
    assert limits(rows, ["rep_4"])[0] == pytest.approx(0.15 - 0.012)
    assert limits([condition("a", rep_4=0.0)], ["rep_4"])[0] < 0
    figure = draw_entropies({"1": entropies(conditional=np.linspace(1, 2, 200))}, "m on d")
    assert figure.axes[2].get_ylim() == pytest.approx((0, 2.15), abs=0.1)  # the band goes to 3


class TestCommands:
    @pytest.fixture
    def drawn(self, tmp_path):
        return {"svg": tmp_path / "f.svg", "pdf": tmp_path / "f.pdf"}

    @pytest.fixture
    def file(self, tmp_path):
        def write(name, rows, schema):
            path = tmp_path / f"{name}.parquet"
            write_table(path, table_of_rows(rows, schema), FACTS)
            return path

        return write

    def test_entropies_and_what_holds_them_become_figures(self, file, drawn):
        rows = [row for group in (ALL, FOUND_ON, HELD_OUT) for row in entropies(group)]
        path = file("a", rows, ENTROPIES)
        plot_entropies([path], **drawn)
        assert "sampling temperature" in drawn["svg"].read_text(encoding="utf-8")
        plot_held([path], target=5.0, **drawn)
        assert "target 5 nats" in drawn["svg"].read_text(encoding="utf-8")

    def test_conditions_become_figures(self, file, drawn):
        rows = [condition("c", group) for group in (ALL, FOUND_ON, HELD_OUT)]
        path = file("a", rows, CONDITIONS)
        plot_costs([path], **drawn)
        plot_conditions([path], **drawn)
        assert drawn["pdf"].stat().st_size > 0

    def test_comparisons_become_a_figure(self, file, drawn, tmp_path):
        rows = [
            [condition(name, f"document {d}", method, marginal=x + d) for d in range(3)]
            for name, method, x in (("cold", "constant", 3), ("hot", "constant", 5), ("s", "s", 4))
        ]
        paths = [file(of[0]["condition"], of, CONDITIONS) for of in rows]
        compare_conditions(paths, out=tmp_path / "compared.parquet")
        plot_comparisons(tmp_path / "compared.parquet", **drawn)
        assert "at equal marginal entropy" in drawn["svg"].read_text(encoding="utf-8")

    def test_schedules_become_a_figure(self, tmp_path, drawn):
        solved = [(0.9, 5.0, True), (1.1, 5.0, True)]
        path = tmp_path / "stepwise.json"
        write_schedule(path, ScheduleFile([1.0, 1.0], solved, Provenance(found_schedule())))
        plot_schedules([path], **drawn)
        assert "stepwise" in drawn["svg"].read_text(encoding="utf-8")

    def test_files_that_do_not_belong_together_are_refused(self, file, drawn):
        one = file("one", [condition("c", HELD_OUT)], CONDITIONS)
        other = file("other", [condition("e", HELD_OUT) | {"model": "n"}], CONDITIONS)
        with pytest.raises(InputError, match=r"other\.parquet: of n on d, and .* of m on d"):
            plot_costs([one, other], **drawn)
        with pytest.raises(InputError, match="the condition c once more"):
            plot_costs([one, one], **drawn)
        with pytest.raises(InputError, match="of no prompts that are all"):
            plot_conditions([one], **drawn)

    def test_errors_from_no_target_or_another_are_refused(self, file, drawn):
        one = file("one", [condition("c", HELD_OUT)], CONDITIONS)
        for target, said in ((None, "no target"), (4.0, r"target 4\.0, but 5\.0 of c")):
            rows = [condition("e", HELD_OUT) | {"target": target}]
            with pytest.raises(InputError, match=said):
                plot_costs([one, file("other", rows, CONDITIONS)], **drawn)


def test_a_legend_of_long_names_stays_inside_the_figure():
    for length in (5, 40, 90):
        rows = [condition(f"{'n' * length}{i}", HELD_OUT, spent=1000 * i) for i in range(9)]
        figure = draw_costs(rows, "a model on a dataset")
        figure.draw_without_rendering()
        (legend,) = figure.legends
        box = legend.get_window_extent()
        assert box.x0 >= 0 and box.x1 <= figure.bbox.width, length
        assert all(axes.get_window_extent().height > 100 for axes in figure.axes), length
