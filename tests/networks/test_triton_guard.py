"""Making an optimiser does not load triton."""

import subprocess
import sys

CODE = """
import sys, torch
from napari_mpseg.networks.triton_guard import load_compiler_without_triton
load_compiler_without_triton()
torch.optim.AdamW([torch.nn.Parameter(torch.zeros(2))])
assert "torch._dynamo" in sys.modules
assert "triton" not in sys.modules, "triton was loaded"
load_compiler_without_triton()
"""


def test_an_optimiser_does_not_load_triton():
    subprocess.run([sys.executable, "-c", CODE], check=True)
