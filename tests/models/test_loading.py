"""What cannot be loaded or run is refused in one true sentence."""

import re

import pytest

from tests.models.every_type import save_tiny
from workflow_scripts.models.loading import Running, load
from workflow_scripts.semstat.errors import InputError

REFUSED = {
    "xlnet": r"XLNetLMHeadModel: its last block gives 8 × 1 × 32 numbers for 1 text of 8 tokens, ",
    "mllama": r"transformers \S+ makes no causal language model of it \(Unrecognized configuration "
    r"class .*MllamaTextConfig.*\); take another model",
    "emu3": r"transformers \S+ makes no causal language model of it \(Unrecognized configuration "
    r"class .*Emu3TextConfig.*\); take another model",
    "musicgen": r"transformers \S+ makes no causal language model of it \('MusicgenConfig' object",
    "gemma3n": r"transformers \S+ makes no .* requires the timm library .*; install that, or take",
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("model_type", REFUSED)
def test_a_type_that_is_no_decoder_here_is_refused_for_what_it_is(model_type, tmp_path):
    running = Running(model=save_tiny(model_type, tmp_path), name="mine", device="cpu")
    with pytest.raises(InputError, match=rf"^models\.mine: {REFUSED[model_type]}"):
        load(running, 60, "measurement.context")


def test_attention_is_blamed_where_it_was_chosen(tmp_path):
    running = Running(model=save_tiny("llama", tmp_path), name="mine", attention="nonsense")
    with pytest.raises(InputError, match=r"^models\.mine\.attention: 'nonsense' does not"):
        load(running, 60, "measurement.context")


@pytest.mark.filterwarnings("ignore")
def test_a_window_that_is_too_long_for_sparse_attention_is_to_be_shortened(tmp_path):
    running = Running(model=save_tiny("deepseek_v32", tmp_path), name="mine", device="cpu")
    with pytest.raises(InputError) as error:
        load(running, 60, "measurement.context")
    assert re.match(r"models\.mine: DeepseekV32ForCausalLM: its sparse attention", str(error.value))
    assert str(error.value).endswith("; lower measurement.context to 16")
    load(running, 16, "measurement.context")
