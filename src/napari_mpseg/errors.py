"""Errors that are meant to be read by the person at the keyboard.

Every message says what was wrong, with the value, and what to do next. Widgets and the command line show
the text of an :class:`MpsegError` as it is; any other exception is a defect of this package.
"""


class MpsegError(Exception):
    """Base of all errors whose message is meant for the user."""


class ImageError(MpsegError, ValueError):
    """An image, or a file that should hold one, cannot be used."""


class CalibrationError(MpsegError, ValueError):
    """A pixel size or a unit makes no sense."""


class SettingsError(MpsegError, ValueError):
    """A setting has an unknown name or an impossible value."""


class ModelError(MpsegError, ValueError):
    """A model file is missing, damaged, foreign or does not fit its network."""


class StoreError(MpsegError, OSError):
    """A result cannot be written or read: full disk, missing rights, results already there."""


class UnknownNameError(MpsegError, KeyError):
    """A name is not in its registry."""

    def __str__(self) -> str:
        """Return the message itself (``KeyError`` would show it quoted)."""
        return str(self.args[0]) if self.args else ""


class Cancelled(Exception):
    """Raised inside long work when its cancel token was set.

    Attributes
    ----------
    kept : str
        Where finished parts of the work are kept to be gone on from; empty if nothing is left behind.
    """

    kept: str = ""
