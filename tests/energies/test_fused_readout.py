"""The kernels for GPUs: in Triton's interpreter, on a GPU if there is one, and compiled for two."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from workflow_scripts.semstat.energies import fused_readout, speeds
from workflow_scripts.semstat.models.decoder import Decoder

ROOT = Path(__file__).parents[2]
SHARED = {80: 163 << 10, 90: 227 << 10}
"""Bytes of shared memory that a program may have, by compute capability."""


@pytest.mark.parametrize("interpreted", [True, False])
def test_the_kernels_equal_float64(interpreted):
    pytest.importorskip("triton")
    if not interpreted and not torch.cuda.is_available():
        pytest.skip("needs a GPU")
    tests = Path(__file__).with_name("interpreted_readout.py")
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", tests],
        cwd=ROOT,
        env=os.environ | {"TRITON_INTERPRET": str(int(interpreted))},
        check=True,
    )


@pytest.mark.parametrize("absent", [False, True])
def test_where_triton_does_not_work_one_warning_of_each_is_all(absent, monkeypatch, caplog):
    """Its kernels cannot run on a CPU, and it need not be installed."""
    if absent:
        monkeypatch.setitem(sys.modules, "workflow_scripts.semstat.energies.readout_kernels", None)
        monkeypatch.setitem(sys.modules, "workflow_scripts.semstat.energies.speed_kernel", None)
    unembedding = nn.Linear(8, 20).bfloat16().float()
    given = (torch.randn(5, 8), torch.arange(10).view(5, 2))
    for _ in range(3):
        decoder = Decoder((), unembedding)
        assert fused_readout.read_out_fused(decoder, *given) is None
    monkeypatch.setattr(speeds, "_works", None)
    h_btn, before_bt = torch.randn(2, 3, 8), torch.tensor([[2, 0, 1], [0, 2, 1]])
    for _ in range(3):
        found = speeds.on_gpu(h_btn, before_bt)
        assert torch.equal(found["norm"], speeds.by_torch(h_btn, before_bt)["norm"])
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 2 and said[0].startswith("reading out by tiles")
    assert said[1].startswith("the kernel of norms and speeds does not work here")


def compiled(name, capability, constants, **options):
    """PTX, bytes of shared memory, and bytes a thread spills, of a kernel on a real target."""
    triton = pytest.importorskip("triton")
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    from workflow_scripts.semstat.energies import readout_kernels, speed_kernel

    kernel = getattr(speed_kernel if name == "measure_speeds" else readout_kernels, name)
    halves, integers = {"terms_in", "weight_vn"}, {"count", "vocabulary", "stretch", "width"}
    integers |= {"positions"}
    tiles = {"terms": "BLOCK_S", "weights": "BLOCK_V"}
    integer_tensors = {"rows_i", "count", "token_ij", "wanted_sm", "top_s"}
    integer_tensors |= {"doubtful_i", "doubtful"}
    signature, aligned = {}, {}
    for place, argument in enumerate(kernel.arg_names):
        if argument in constants:
            signature[argument] = "constexpr"
        elif argument in tiles and constants["BULK"]:
            tile = [constants[tiles[argument]], constants["BLOCK_N"]]
            signature[argument] = f"tensordesc<fp16{tile}>"
        elif argument in halves | tiles.keys():
            signature[argument] = "*fp16"
        elif argument == "before_t":
            signature[argument] = "*i64"
        elif argument in integer_tensors:
            signature[argument] = "*i32"
        elif argument in integers:
            signature[argument] = "i32"
        elif re.search("_[a-z0-9]+$", argument) and argument not in ("weight_unit", "soft_cap"):
            signature[argument] = "*fp32"
        else:
            signature[argument] = "fp32"
        if signature[argument].startswith("*"):
            aligned[place,] = [["tt.divisibility", 16]]
    source = ASTSource(kernel, signature, constants, aligned)
    binary = triton.compile(source, target=GPUTarget("cuda", capability, 32), options=options)
    return binary.asm["ptx"], binary.metadata.shared, _spilled(binary.asm["cubin"])


def _spilled(cubin):
    import tempfile

    from triton import knobs

    with tempfile.NamedTemporaryFile(suffix=".cubin") as file:
        file.write(cubin)
        file.flush()
        usage = subprocess.run(
            [knobs.nvidia.cuobjdump.path, "-res-usage", file.name],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    return int(re.search(r"STACK:(\d+)", usage)[1])


@pytest.mark.parametrize(
    ("capability", "shape", "width"), [(90, 0, 576), (90, 1, 2048), (80, 2, 576)]
)
def test_the_scan_compiles_to_matrix_units_without_spilling(capability, shape, width):
    from workflow_scripts.semstat.energies.readout_kernels import BLOCKS

    sizes = {name: size for name, size in BLOCKS[shape].items() if name.isupper()}
    options = {name: size for name, size in BLOCKS[shape].items() if not name.isupper()}
    bulk = capability >= 90
    features = {"TERMS": 1, "HAS_BIAS": False, "HAS_CAP": False, "BULK": bulk}
    ptx, shared, spilled = compiled(
        "scan_vocabulary", capability, {"WIDTH": width} | features | sizes, **options
    )
    instruction = {80: "mma.sync.aligned.m16n8k16", 90: "wgmma.mma_async"}[capability]
    products = [line for line in ptx.splitlines() if instruction in line]
    assert products and all(".f32.f16.f16" in line for line in products)
    # Every load of a tile is asynchronous, and a stage or more ahead of its use.
    assert ("cp.async.bulk.tensor" if bulk else "cp.async.cg.shared.global") in ptx
    tile = 2 * sizes["BLOCK_N"] * (sizes["BLOCK_S"] + sizes["BLOCK_V"])
    assert 2 * tile <= shared <= SHARED[capability]
    assert spilled <= 32, "bytes a thread: a few registers, once a tile"


SETTLING = {"WIDTH": 8192, "TERMS": 2, "STRETCHES": 16, "HAS_BIAS": True, "HAS_CAP": True}
SETTLING |= {"BLOCK_N": 64}


@pytest.mark.parametrize("capability", [80, 90])
@pytest.mark.parametrize(
    ("name", "constants"),
    [
        ("split_states", {"WIDTH": 8192, "TERMS": 2}),
        ("measure_speeds", {"WIDTH": 8192}),
        ("settle_states", SETTLING | {"WANTED": 2, "PLACES": 32}),
        ("settle_states", SETTLING | {"WANTED": 17, "PLACES": 64}),
    ],
)
def test_the_other_kernels_compile_too(name, constants, capability):
    _, shared, spilled = compiled(name, capability, constants)
    assert shared <= SHARED[capability] and spilled == 0
