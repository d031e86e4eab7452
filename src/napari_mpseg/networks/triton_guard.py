"""Keep torch from loading triton where that would end the program.

torchvision, and with it segmentation-models-pytorch, makes torch import its compiler, which imports triton if it is
installed. Triton brings an LLVM of its own; in a process that has Mesa's OpenGL loaded (napari with software rendering)
this is a segmentation fault. We do not compile networks, so the compiler is loaded as if triton were not there.
"""

import importlib
import sys


def load_compiler_without_triton() -> None:
    """Import ``torch._dynamo`` with triton hidden; does nothing where either is loaded already."""
    if "torch._dynamo" in sys.modules or "triton" in sys.modules:
        return
    # None in place of a module makes its import fail.
    sys.modules["triton"] = None  # type: ignore[assignment]
    try:
        importlib.import_module("torch._dynamo")
    finally:
        del sys.modules["triton"]
