"""The keys of a review: bound while it is open, given back when it is closed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

CLASS_KEYS = 9


@dataclass(frozen=True)
class Key:
    """What one key does.

    Attributes
    ----------
    action : str
        Name of what is done.
    keys : tuple of str
        As napari writes them, ``"Shift-K"``; the first is shown beside the button.
    does : str
        For the table of keys in the docs.
    """

    action: str
    keys: tuple[str, ...]
    does: str

    @property
    def shown(self) -> str:
        """The key as it is read: ``"Shift+K"``."""
        return self.keys[0].replace("-", "+").replace("Control", "Ctrl")


KEYS = (
    Key("next", ("Shift-N",), "Next particle"),
    Key("previous", ("Shift-B",), "The particle before"),
    Key("keep", ("Shift-K",), "Keep the particle"),
    Key("reject", ("Shift-R",), "Reject the particle"),
    *(
        Key(f"class {n}", (f"Alt-{n}", f"Shift-F{n}"), f"Give it class {n} of the list")
        for n in range(1, CLASS_KEYS + 1)
    ),
    Key("merge", ("Shift-M",), "Merge with the particle that is clicked next"),
    Key("split", ("Shift-S",), "Split along a line that is drawn next"),
    Key("redraw", ("Shift-E",), "Draw its outline anew"),
    Key("delete", ("Shift-D",), "Delete the particle from the labels"),
    Key("undo", ("Shift-U", "Control-Z"), "Take back the last decision or edit"),
    Key("redo", ("Shift-Y", "Control-Shift-Z"), "Do again what was taken back"),
    Key("shade", ("Shift-H",), "Dim rejected particles, or show them as the others"),
    Key("stop", ("Escape",), "Leave merging, splitting or drawing"),
)

_ONLY_LAYER = ("Control-Z", "Control-Shift-Z", "Escape")  # napari's own for a labels layer: taken over for that one


class BoundKeys:
    """Keys bound to a viewer and a labels layer.

    Parameters
    ----------
    actions : mapping of str to callable
        What the keys do.
    keys : sequence of Key
        Which keys.
    """

    def __init__(self, actions: Mapping[str, Callable[[], Any]], keys: Sequence[Key] = KEYS) -> None:
        self._actions, self._which = actions, keys
        self._bound: list[tuple[Any, str, Any]] = []

    def bind(self, viewer: Any, layer: Any) -> None:
        """Bind all keys; what was bound to them before comes back with :meth:`release`."""
        self.release()
        for key in self._which:
            for combination in key.keys:
                for owner in (viewer, layer):
                    if owner is layer or combination not in _ONLY_LAYER:
                        self._bind(owner, combination, self._actions[key.action])

    def _bind(self, owner: Any, combination: str, action: Callable[[], Any]) -> None:
        def pressed(source: Any) -> None:
            action()

        before = owner.bind_key(combination, pressed, overwrite=True)
        self._bound.append((owner, combination, before))

    def release(self) -> None:
        """Give the keys back."""
        for owner, combination, before in reversed(self._bound):
            owner.bind_key(combination, before, overwrite=True)
        self._bound.clear()
