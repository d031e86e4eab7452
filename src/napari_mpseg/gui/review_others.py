"""Labels that are painted from elsewhere, which measures them itself: a review does not follow that. No Qt here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_WRITTEN: list[Any] = []  # layers, each as often as it is being written


@contextmanager
def writing_pixels_and_rows(layer: Any) -> Iterator[None]:
    """Say that pixels of a layer are written now by somebody who writes and records their rows as well."""
    own = _itself(layer)
    _WRITTEN.append(own)
    try:
        yield
    finally:
        _WRITTEN[:] = [one for one in _WRITTEN if one is not own]


def is_written_elsewhere(layer: Any) -> bool:
    """Whether a layer is being written within :func:`writing_pixels_and_rows`."""
    return any(one is _itself(layer) for one in _WRITTEN)


def _itself(layer: Any) -> Any:
    return getattr(layer, "__wrapped__", layer)  # napari hands plugins proxies
