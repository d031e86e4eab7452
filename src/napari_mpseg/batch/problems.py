"""What hinders a batch: raised at once, or kept, so that what is known can be shown all the same."""

from collections.abc import Iterator
from contextlib import contextmanager

from napari_mpseg.errors import MpsegError


class Problems:
    """Collects errors of steps that others do not depend on.

    Parameters
    ----------
    keep : bool
        Whether to go on after an error; without, it is raised as ever.
    """

    def __init__(self, *, keep: bool) -> None:
        self._keep = keep
        self.found: list[MpsegError] = []

    @contextmanager
    def here(self) -> Iterator[None]:
        """Do a step; its error is kept, if that was asked for."""
        try:
            yield
        except MpsegError as error:
            if not self._keep:
                raise
            self.found.append(error)
