"""One kind of registry for everything a user can choose by name."""

import difflib
from collections.abc import Callable, Iterator, Mapping
from typing import Generic, TypeVar

from napari_mpseg.errors import UnknownNameError

T = TypeVar("T")


class Registry(Mapping[str, T], Generic[T]):
    """A mapping of names to entries, in order of registration.

    Parameters
    ----------
    kind : str
        What the entries are, for messages: ``"method"``, ``"network"``.

    Examples
    --------
    >>> losses = Registry("loss")
    >>> @losses.register("zero")
    ... def zero(): return 0
    >>> losses["zero"]()
    0
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._entries: dict[str, T] = {}

    def add(self, name: str, entry: T) -> T:
        """Add `entry` under `name`; a second entry of the same name is a programming error."""
        if name in self._entries:
            raise ValueError(f"{self.kind} {name!r} is registered twice")
        self._entries[name] = entry
        return entry

    def register(self, name: str) -> Callable[[T], T]:
        """Return a decorator that adds what it decorates under `name`."""
        return lambda entry: self.add(name, entry)

    def __getitem__(self, name: str) -> T:
        """Return the entry, or raise :class:`UnknownNameError` naming the choices."""
        try:
            return self._entries[name]
        except KeyError:
            near = difflib.get_close_matches(str(name), self._entries, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise UnknownNameError(
                f"No {self.kind} is called {name!r}.{hint} Known: {', '.join(self._entries)}."
            ) from None

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)
