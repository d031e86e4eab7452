"""The docks of napari's window."""

from __future__ import annotations

from typing import Any


def raise_dock(widget: Any) -> None:
    """Show the dock that a widget lies in, in front of those it shares a place with."""
    dock = widget.parent()
    while dock is not None and not hasattr(dock, "toggleViewAction"):
        dock = dock.parent()
    if dock is not None:
        dock.show()
        dock.raise_()
