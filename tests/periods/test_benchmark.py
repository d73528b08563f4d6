"""The benchmark of rivals runs, on a tiny readout."""

import json

from benchmarks.periods import periods


def test_it_tells_what_rivals_cost(tmp_path):
    out = tmp_path / "periods.json"
    shape = {"width": 16, "vocabulary": 700, "states": 96, "context": 48}
    periods(out=out, longest=[4, 16], repeats=2, **shape)
    report = json.loads(out.read_text())
    assert report["states"] == 96 and list(report["more"]) == ["4", "16"]
    for median, low, high in report["more"].values():
        assert -1 < low <= median <= high
