"""What docs/criticality.md says of its study is what docs/tables hold of it."""

import numpy as np
import pandas as pd

from tests.claims import Part, interval
from tests.runs import REPO
from tests.test_claims_of_studies import study, table

LENGTHS = (128, 256, 512, 1024)
PAGE = "docs/criticality.md"
MODEL = "smollm2-135m"
SWEPT = "sampling_temperature"


def observables() -> pd.DataFrame:
    keys = ("model", "by", "length", "sampling_temperature")
    return table("criticality/observables", *keys).sort_index()


def places() -> pd.DataFrame:
    keys = ("model", "by", "observable", "how", "length")
    return table("criticality/crossovers", *keys).sort_index()


def test_what_was_written():
    page = Part(PAGE, "## What was found", "![Share of texts")
    spec, twin = study("criticality")["criticality"]
    written = spec["prompt_tokens"], spec["prompts"], spec["runs"], max(spec["lengths"])
    page.says("the first {} tokens of {} addresses, {} texts of {} tokens each at", *written)
    page.says("each at {} sampling temperatures", len(spec["sampling_temperatures"]))
    page.says("wrote {} texts of {} tokens", twin["prompts"] * twin["runs"], max(twin["lengths"]))
    page.says("Nulls are counted on 785,000 tokens")
    page.says("Brackets are 95% intervals")
    assert tuple(spec["lengths"]) == LENGTHS
    page.is_checked()


def test_places_of_change():
    page = Part(PAGE, "| place |", "- **It is a matter")
    page.says("| place | 128 tokens | 256 | 512 | 1,024 | drift from 128 to 1,024 |")
    every = places().loc[MODEL]
    rows = {
        "half of the texts in near-loops": ("model", "near_looping", "half"),
        "half of the texts, bigrams": ("bigrams", "near_looping", "half"),
        "entering = leaving": ("model", "entering", "balance"),
        "entering = leaving, bigrams": ("bigrams", "entering", "balance"),
        "peak of heat capacity": ("model", "heat_capacity", "peak"),
        "peak of heat capacity, bigrams": ("bigrams", "heat_capacity", "peak"),
        "peak of Fisher information": ("model", "fisher", "peak"),
        "peak of the susceptibility of mean H": ("model", "energy_susceptibility", "peak"),
        "Ω(0⁻) rises fastest": ("model", "below_zero", "steepest"),
    }
    for said, key in rows.items():
        of = every.loc[key]
        numbers = [interval(of.loc[length], "sampling_temperature") for length in LENGTHS]
        page.says(f"| {said} | {{}} | {{}} | {{}} | {{}} | {{}} |", *numbers, _drift(of))
    page.is_checked()


def _drift(of: pd.DataFrame) -> tuple[float, float, float]:
    return interval(of.loc[1024], "drift")


def test_what_follows():
    page = Part(PAGE, "- **It is a matter", "![Places of change]")
    seen, every = observables().loc[MODEL], places().loc[MODEL]
    longest = seen.loc["model", 1024]
    page.says("At 1,024 tokens near-loops are entered")
    rates = [longest.entering[at] for at in (0.7, 0.8, 0.9)]
    page.says("entered {} times a token at 0.7, {} at 0.8 and {} at 0.9", *rates)
    hot = longest[longest.index >= 1]
    assert (hot.entering == 0).all() and (hot.near_looping == 0).all()
    page.says(
        "at 1 and above none was in {} texts (the bound is {})",
        hot.texts.iloc[0],
        hot.entering_high.max(),
    )
    page.says("had not come to rest at 1,024 tokens")
    balance = every.loc["model", "entering", "balance"]
    page.says("Below about {} loops", balance.sampling_temperature[1024])
    assert (longest.in_near_loops[longest.index <= 0.7] > 0.5).all()
    page.says("are in one ({} at 0.7)", longest.in_near_loops[0.7])
    page.says("moves up as well**: {} at 256 tokens", interval(balance.loc[256], SWEPT))
    page.says("and {} at 1,024 exclude each other", interval(balance.loc[1024], SWEPT))
    assert balance.sampling_temperature_high[256] < balance.sampling_temperature_low[1024]
    assert balance.drift_low[1024] < 0 < balance.drift_high[1024]
    page.says("the drift not told from 0")
    of_bigrams = every.loc["bigrams", "entering", "balance"]
    page.says("one that stays, at {}.", of_bigrams.sampling_temperature[1024])
    assert of_bigrams.drift_low[1024] < 0 < of_bigrams.drift_high[1024]
    left = longest.leaving[0.6], seen.loc["bigrams", 1024].leaving[0.6]
    page.says("({} times a token at 0.6, bigrams {} times)", *left)
    entered = [seen.loc["model", length].entering[0.7] for length in (256, 1024)]
    page.says("at 0.7 {} times a token in 256 tokens, {} times in 1,024", *entered)
    peaks = [seen.loc["model", length].heat_capacity.max() for length in LENGTHS]
    page.says("peaks**, at {} to {} a token", min(peaks), max(peaks))
    own = [seen.loc[by, 1024].heat_capacity.max() for by in ("bigrams", "frequencies")]
    at = every.loc["frequencies", "heat_capacity", "peak", 1024].sampling_temperature
    page.says("for bigrams ({}) and for independent tokens ({} at {})", *own, at)
    page.says("for bigrams, at {}.", every.loc["bigrams", "fisher", "peak", 1024][SWEPT])
    grown = [seen.loc["model", length].energy_susceptibility.max() for length in (128, 1024)]
    page.says("mean H from {} to {} at its peak", *grown)
    flat = [seen.loc["bigrams", length].loc[0.4] for length in (128, 1024)]
    flat = [interval(row, "energy_susceptibility") for row in flat]
    page.says("that of bigrams, {} at 0.4 and 128 tokens, is {} at 1,024.", *flat)
    crossing = every.xs("crossing", level="how").loc["model"]
    page.says("those of 512 and 1,024 tokens cross at {}", _place(crossing, "energy_binder"))
    page.says("(mean H) and {} (tokens)", _place(crossing, "token_binder"))
    assert list(longest.index[longest.token_binder >= 0]) == [1.5, 2.0]
    page.says("cumulant of 1,024 tokens is below 0 up to 1.25,")
    assert longest.near_looping[0.0] == 1
    page.says("but also at 0, where all loop")
    half = {by: every.loc[by, "near_looping", "half"].conditional for by in ("model", "bigrams")}
    of_model = [half["model"][length] for length in LENGTHS]
    page.says("conditional entropy of {} nats at 128 tokens, {}, {} and {} at 1,024;", *of_model)
    page.says("bigrams at {} to {}", half["bigrams"][128], half["bigrams"][1024])
    cases = [("model", length) for length in LENGTHS] + [("bigrams", 1024)]
    shares = [np.interp(0.4, at.conditional, at.in_near_loops) for at in map(seen.xs, cases)]
    page.says("at 0.4 nats it is {}, {}, {} and {} at the four", *shares[:4])
    page.says("and {} in bigrams of 1,024 tokens", shares[4])
    page.says("a high mean H ({} at 0.5)", longest.energy[0.5])
    page.says("Ω(0⁻) is {} there, and rises", longest.below_zero[0.5])
    steepest = every.loc["model", "below_zero", "steepest"].sampling_temperature
    page.says("rises fastest at {} to {},", steepest.min(), steepest.max())
    of_energy = interval(every.loc["model", "energy", "steepest", 1024], "sampling_temperature")
    page.says("falls fastest at {} at 1,024 tokens", of_energy)
    depth = every.loc["model", "depth", "steepest"]
    page.says("fastest at {} to {} at all", depth[SWEPT].min(), depth[SWEPT].max())
    page.says("bigrams' does at {}, but", every.loc["bigrams", "depth", "steepest", 1024][SWEPT])
    wide = [interval(depth.loc[length], SWEPT) for length in (128, 1024)]
    page.says("crossover: {} at 128 tokens, {} at 1,024.", *wide)
    page.is_checked()


def test_the_twin_loops_where_it_is_coldest():
    page = Part(PAGE, "- **The twin", "![Places")
    twin = observables().loc[f"{MODEL}-random", "model", 256]
    assert twin.near_looping[0.0] > 0 and (twin.near_looping[twin.index >= 0.2] == 0).all()
    page.is_checked()


def test_how_sure_it_is():
    page = Part(PAGE, "How sure is this?")
    page.says("no text longer than 1,024 tokens")
    page.says("a median of 16,900")
    page.says("periods up to {} tokens", min(LENGTHS) // 3)
    cold = observables().loc[MODEL, "frequencies", 1024]
    assert cold.looping[0.0] > 0.99 and cold.looping[0.2] == 0
    page.says("in exact loops at 0 and not at 0.2, where a share of {}", cold.near_looping[0.2])
    page.says("of the texts of 1,024 tokens has")
    assert (REPO / "docs/figures/criticality_phases.svg").is_file()
    page.is_checked()


def _place(crossing: pd.DataFrame, observable: str) -> tuple[float, float, float]:
    return interval(crossing.loc[observable, 1024], "sampling_temperature")


def test_the_findings_say_the_same():
    page = Part(
        "docs/findings.md", "## Where do texts begin to loop?", "## What does repetition in"
    )
    every = places().loc[MODEL, "model"].sampling_temperature
    page.says("Below about {} loops are entered faster", every["entering", "balance", 1024])
    of_length = every.loc["heat_capacity", "peak"]
    page.says("capacity peaks at {} to {},", of_length.min(), of_length.max())
    page.is_checked()
