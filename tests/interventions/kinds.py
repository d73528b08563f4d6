"""Interventions on a model of three layers with four heads, and what they are by hand."""

from __future__ import annotations

from tests.interventions.by_hand import Change
from workflow_scripts.semstat.interventions.attention_scale import AttentionScale
from workflow_scripts.semstat.interventions.attention_window import AttentionWindow
from workflow_scripts.semstat.interventions.heads_off import HeadsOff
from workflow_scripts.semstat.interventions.layers_skipped import LayersSkipped
from workflow_scripts.semstat.interventions.sink_off import SinkOff
from workflow_scripts.semstat.interventions.weight_noise import WeightNoise
from workflow_scripts.semstat.models.intervening import Intervention

HEADS = ((1, 0), (1, 3), (3, 2))

KINDS: dict[str, tuple[Intervention, Change]] = {
    "scaled": (AttentionScale(2.5), Change(scale=lambda _layer, _head: 2.5)),
    "flattened": (AttentionScale(0.3), Change(scale=lambda _layer, _head: 0.3)),
    "scaled in a layer": (
        AttentionScale(2.5, layers=(2,)),
        Change(scale=lambda layer, _head: 2.5 if layer == 2 else 1.0),
    ),
    "scaled in heads": (
        AttentionScale(2.5, heads=HEADS),
        Change(scale=lambda layer, head: 2.5 if (layer, head) in HEADS else 1.0),
    ),
    "heads off": (HeadsOff(HEADS), Change(off=set(HEADS))),
    "sink off": (SinkOff(), Change(sees=lambda q, k: k > 0 or q == 0)),
    "window": (AttentionWindow(4), Change(sees=lambda q, k: k > q - 4)),
    "window of one": (AttentionWindow(1), Change(sees=lambda q, k: k == q)),
    "a layer skipped": (LayersSkipped((2,)), Change(skipped={2})),
    "the last skipped": (LayersSkipped((1, 3)), Change(skipped={1, 3})),
}

NOISE = WeightNoise(0.3, seed=5)
