"""What the workflow makes of entries with rivals where a model writes, or a unit is repeated."""

import copy

from tests.runs import TINY_STUDY
from workflow_scripts.periods.configuration import null_of, plain_of

PERIODS = 16
STUDY = {
    "measurement": TINY_STUDY["measurement"] | {"layers": [0, 3], "context": 63, "stride": 63},
    "models": {
        "tiny": TINY_STUDY["models"]["tiny"],
        "loops": {"like": "tiny", "rivals": {"periods": PERIODS}},
        "loops-null": {"like": "tiny", "rivals": {"periods": PERIODS, "history": "elsewhere"}},
    },
    "datasets": {
        "text": TINY_STUDY["datasets"]["text"] | {"measured": False, "shards": 1},
        "own": {
            "source": "generated",
            "of": "text",
            "prompt_tokens": 4,
            "tokens_per_document": 62,
            "sampling_temperature": 0,
            "documents_per_shard": 4,
            "shards": 2,
        },
        "units": {
            "source": "ensemble",
            "of": "text",
            "ensemble": "repeated",
            "prefix_tokens": 8,
            "unit": 3,
            "repetitions": [1, 4],
            "documents_per_shard": 8,
        },
    },
}


def test_each_text_is_written_once_and_described_where_it_is_of_use(pristine, tmp_path):
    """A dry run: what the commands do is tested in one process, test_commands.py."""
    place = pristine.copy(tmp_path)
    jobs = place.would_run("periods", study=copy.deepcopy(STUDY))
    written = {job for job in jobs if job.startswith(("Generating", "Taking"))}
    assert written == {
        f"{what}, shard {shard}, {whom}"
        for shard in (0, 1)
        for what, whom in (
            ("Generating own", "by tiny"),
            ("Taking own", "for loops"),
            ("Taking own", "for loops-null"),
        )
    }
    assert "Measuring energies of tiny on own, shard 0" in jobs, "for H"
    assert "Measuring energies of tiny on units, shard 0" not in jobs
    described = {
        "Describing onsets of loops that loops wrote in own",
        "Drawing onsets of loops that loops wrote in own",
        "Describing periods that loops finds in own",
        "Describing periods that loops finds in units",
        "Drawing periods that loops finds in units",
        *(f"Tabulating {what}" for what in ("onsets of loops", "warnings of onsets")),
        "Tabulating periods that are found",
    }
    words = ("onsets", "periods that")
    assert {job for job in jobs if any(word in job for word in words)} == described


def test_entries_are_beside_those_that_differ_in_rivals_alone():
    def spec(rivals="last", **more):
        of = {"weights": "w", "intervention": "none", "like": "w"}
        return of | {"rivals": rivals} | more

    own, null = ({"periods": 4, "history": history} for history in ("own", "elsewhere"))
    models = {
        "damped": spec(intervention="x"),
        "plain": spec(source="hub"),
        "loops": spec(own),
        "longer-null": spec(null | {"periods": 5}),
        "null": spec(null | {"seed": 1}),
        "loops-damped": spec(own, intervention="y"),
    }
    assert (plain_of("loops", models), null_of("loops", models)) == ("plain", "null")
    assert (plain_of("loops-damped", models), null_of("loops-damped", models)) == (None, None)
    assert null_of("null", models) is None
