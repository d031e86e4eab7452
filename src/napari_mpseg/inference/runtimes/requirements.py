"""What a runtime needs of this machine, found out without loading anything."""

import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path

Reason = str | None
_BFLOAT16 = {"avx512_bf16", "amx_bf16", "bf16"}  # x86, x86 with matrix units, Arm

_DOT_PRODUCTS = {"avx512_vnni", "avx_vnni", "amx_int8", "asimddp"}


def packages(*names: str, extra: str) -> Reason:
    """Return how to install the packages if one of them is missing, else None."""
    missing = [name for name in names if not _is_there(name)]
    if not missing:
        return None
    return f'{" and ".join(missing)} is not installed. Install it: pip install "napari-mpseg[{extra}]".'


def bfloat16() -> Reason:
    """Return None if the processor multiplies bfloat16 numbers in hardware, else why not."""
    if processor_flags() & _BFLOAT16:
        return None
    return "This processor does not multiply bfloat16 numbers; it would be slower than 32 bit."


def dot_products() -> Reason:
    """Return None if the processor adds up products of 8-bit numbers in one step, else why not."""
    if processor_flags() & _DOT_PRODUCTS:
        return None
    return "This processor does not add up products of 8-bit numbers in one step; it would gain nothing."


def _is_there(name: str) -> bool:
    if name in sys.modules:
        return sys.modules[name] is not None
    return find_spec(name) is not None


@cache
def processor_flags() -> frozenset[str]:
    """Return what the processor says it can do; empty where nothing can be found out."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    except OSError:
        return _flags_of_torch()
    for line in text.splitlines():
        if line.startswith(("flags", "Features")):
            return frozenset(line.partition(":")[2].split())
    return _flags_of_torch()


def _flags_of_torch() -> frozenset[str]:
    import torch

    told: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    return frozenset(name for name, there in told.items() if there is True)


@cache
def processor_name() -> str:
    """Return the model name of the processor, as far as it tells."""
    import platform

    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
