"""What surrounds the libraries' own loading of trained weights: a quick look whether it can work, and clear words."""

import hashlib
import re
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from napari_mpseg.errors import ModelError

PATIENCE = 6.0  # seconds to wait for a server's first word
_WITHOUT = "without them (option weights: none; in a preset --set network_options.weights=None)"
_HASH = re.compile(r"-([0-9a-f]{8,})\.")


@contextmanager
def fetching(weights: str, way_out: str) -> Iterator[None]:
    """Turn the failure of a download within the block into an error that says what to do.

    Parameters
    ----------
    weights : str
        Which weights: ``"ImageNet weights of resnet34"``.
    way_out : str
        What to copy from another computer, and where to: ``"copy the file A into B"``.

    Raises
    ------
    ModelError
        If the block raises OSError.
    """
    try:
        yield
    except OSError as error:
        if error.errno is not None and not isinstance(error, (ConnectionError, TimeoutError)):
            raise ModelError(
                f"The {weights} cannot be stored: {error}. Make room, or choose another folder for the cache; or start "
                f"{_WITHOUT}."
            ) from error
        reason = str(getattr(error, "reason", error)).strip().splitlines() or [type(error).__name__]
        raise ModelError(
            f"The {weights} could not be fetched, this computer seems to be offline ({reason[0]}). Build the network "
            f"once while online, and they are kept; or {way_out} from a computer that has them; or start "
            f"{_WITHOUT}."
        ) from error


def require_reachable(url: str) -> None:
    """Ask the server for a sign of life; the libraries would wait or retry for up to minutes.

    Raises
    ------
    OSError
        If it does not answer within seconds. Any answer will do, also a refusal.
    """
    request = urllib.request.Request(url, method="HEAD")
    try:
        urllib.request.urlopen(request, timeout=PATIENCE).close()
    except urllib.error.HTTPError:
        return
    except urllib.error.URLError as error:
        if not isinstance(error.reason, ssl.SSLError):  # the libraries may know certificates that we do not
            raise


def refuse_damaged(file: Path) -> None:
    """Check a cached file against the SHA-256 that its name carries, as the hub's names do (``resnet-63fe2227.pth``).

    Raises
    ------
    ModelError
        If they differ.
    """
    found = _HASH.search(file.name)
    if found is None:
        return
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    if not digest.startswith(found[1]):
        raise ModelError(
            f"{file} is damaged or another file (SHA-256 {digest[:12]}…, its name says {found[1]}…). Delete it, then "
            "fetch or copy it again."
        )
