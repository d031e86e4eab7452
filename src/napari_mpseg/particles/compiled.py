"""The one way in which this package compiles its inner loops."""

from collections.abc import Callable
from typing import Any

import numba

Compiled = Callable[..., Any]


def njit(function: Compiled) -> Compiled:
    """Compile `function` with numba: cached on disk, and without holding Python's lock while it runs."""
    compiled: Compiled = numba.njit(cache=True, nogil=True)(function)
    return compiled
