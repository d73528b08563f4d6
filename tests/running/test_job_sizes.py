"""What jobs ask for: sizes read off real files, and numbers that grow with them."""

import numpy as np
import pyarrow as pa
import pytest
from safetensors.numpy import save_file

from tests.tiny import save_tiny_model, tiny_model
from workflow_scripts.models.loading import BATCH_TOKENS
from workflow_scripts.running.job_sizes import (
    BUFFERED_STATES,
    BYTES,
    STATE_BYTES,
    TRAINED_BYTES,
    Weights,
    gpu_memory_mb,
    memory_mb,
    runtime_minutes,
    states_in,
    weights_in,
)
from workflow_scripts.semstat.energies.tables import ENERGIES
from workflow_scripts.semstat.models.windows import BUFFERED_BATCHES, cut_windows
from workflow_scripts.semstat.tables import write_table
from workflow_scripts.semstat.tokens.tables import TOKENS

SMOLLM2_135M = Weights(134_515_008, 2 * 134_515_008, 49152 * 576)
SMOLLM3_3B = Weights(3_075_098_624, 2 * 3_075_098_624, 128256 * 2048)
"""In bfloat16, as they come from the hub."""


def test_weights_are_counted_without_reading_them(tmp_path):
    save_tiny_model(tmp_path)
    model = tiny_model()
    found = weights_in(tmp_path / "model.safetensors")
    assert found.parameters == sum(p.numel() for p in model.parameters())
    assert found.bytes == 4 * found.parameters
    assert found.largest == model.get_input_embeddings().weight.numel()


def test_weights_in_half_precision_with_a_word_about_them(tmp_path):
    path = tmp_path / "model.safetensors"
    half = {"a": np.zeros((3, 5), np.float16), "b": np.zeros(7, np.float16)}
    save_file(half, path, metadata={"format": "pt"})
    assert weights_in(path) == Weights(22, 44, 15)


def test_states_are_counted_from_the_footer(tmp_path):
    documents = [[0, 5, 7], [0, 1, 4, 9], list(range(100))]
    path = tmp_path / "shard=0.parquet"
    write_table(path, pa.table({"doc": [0, 1, 2], "tokens": documents}, schema=TOKENS), {})
    assert states_in(path) == 1 + 2 + 98
    windows = [w for tokens in documents for w in cut_windows(0, np.array(tokens), 16, 12)]
    assert states_in(path) == sum(window.states for window in windows)


@pytest.mark.parametrize("read", [weights_in, states_in])
def test_what_is_not_there_yet_is_a_missing_file(read, tmp_path):
    with pytest.raises(FileNotFoundError) as error:
        read(tmp_path / "later")
    assert error.value.filename == str(tmp_path / "later")


def test_a_larger_model_asks_for_more_of_everything():
    small, large = SMOLLM2_135M, SMOLLM3_3B
    more = 2 * 2 * (large.parameters - small.parameters) / 1e6  # bytes, file and copy
    difference = memory_mb(large, "bfloat16", "cuda") - memory_mb(small, "bfloat16", "cuda")
    assert difference == pytest.approx(more, abs=2)
    assert gpu_memory_mb(large, 2) > 6_000 > gpu_memory_mb(small, 2)
    gradient_and_moments = 3 * 4 * large.parameters / 1e6
    trained = gpu_memory_mb(large, TRAINED_BYTES) - gpu_memory_mb(large, BYTES["float32"])
    assert trained == pytest.approx(gradient_and_moments, abs=1)
    minutes = [runtime_minutes(model, 2e6, 8e6, "cuda", 8) for model in (small, large)]
    assert minutes[0] < 60 < minutes[1]


def test_memory_counts_what_is_kept_of_each_layer_until_it_is_written():
    assert sum(field.type.byte_width for field in ENERGIES) == STATE_BYTES == 15 * 4
    for device, states in BUFFERED_STATES.items():
        assert states == BUFFERED_BATCHES * BATCH_TOKENS[device]
        none, all_layers = (memory_mb(SMOLLM2_135M, "float32", device, n) for n in (0, 31))
        assert all_layers - none == pytest.approx(31 * 3 * 15 * 4 * states / 1e6, abs=1)


def test_time_is_proportional_to_the_states_beyond_the_start():
    once, tenfold = (
        runtime_minutes(SMOLLM2_135M, n * 2e6, n * 8e6, "cuda", 8) - 10 for n in (100, 1000)
    )
    assert tenfold == pytest.approx(10 * once, rel=0.02)
    cpu = [runtime_minutes(SMOLLM2_135M, 2e6, 8e6, "cpu", cores) - 10 for cores in (1, 8)]
    assert cpu[0] == pytest.approx(8 * cpu[1], rel=0.02)


def test_another_attempt_asks_for_as_much_again():
    first, third = (memory_mb(SMOLLM3_3B, "float32", "cuda", 10, attempt) for attempt in (1, 3))
    assert third == 3 * first
    first, third = (runtime_minutes(SMOLLM3_3B, 1e6, 1e6, "cuda", 8, n) for n in (1, 3))
    assert third == 3 * first


def test_a_gpu_that_is_too_small_is_warned_of_before_anything_is_submitted(altered):
    profile = altered.clone / "profiles" / "slurm" / "config.yaml"
    profile.write_text(profile.read_text().replace("gpu_memory: 40000", "gpu_memory: 1000"))
    said = altered.snakemake(f"--profile={profile.parent}", "--dry-run", "--forceall")
    assert said.code == 0, said.text
    assert said.text.count("results/models/tiny needs a GPU of 1501 MB") == 1, "once a model"


def test_asking_for_more_reruns_nothing(altered):
    requests = ["--set-resources", "measure_energies_tiny:mem_mb=99999"]
    assert altered.would_run(*requests) == set()
