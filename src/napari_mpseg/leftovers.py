"""What a killed process left behind, told from what a living one is working on.

Temporary files and folders carry the mark of the process that made them. Nothing can clean up after ``kill -9`` or a
power cut but the next run, and that must not take away what another process is still writing.
"""

import os
import platform
import re
import shutil
import uuid
import zlib
from contextlib import suppress
from functools import cache
from pathlib import Path

_MARK = re.compile(r"(?P<machine>[0-9a-f]{8})-(?P<process>\d+)-(?P<unique>[0-9a-f]{8})")


def new_mark() -> str:
    """Return a mark of this process for the name of a temporary file, different at every call."""
    return f"{_machine()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"


def is_left_over(name: str) -> bool:
    """Return whether the file name bears the mark of a process of this machine that has ended.

    False where it cannot be known: another machine's, or on Windows, where a process cannot be asked harmlessly.
    """
    found = _MARK.search(name)
    return found is not None and found["machine"] == _machine() and not _is_running(int(found["process"]))


def sweep(folder: Path, prefix: str) -> None:
    """Remove the folders in `folder` whose names begin with `prefix` and bear the mark of an ended process."""
    with suppress(OSError):
        for entry in list(folder.iterdir()):
            if entry.name.startswith(prefix) and is_left_over(entry.name):
                remove(entry)


def remove(path: Path) -> None:
    """Remove a file or a folder with all it holds, as far as that can be done, without complaint."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink(missing_ok=True)


@cache
def _machine() -> str:
    # Containers can share a folder and a host name, but then count their processes apart.
    space = ""
    with suppress(OSError):
        space = os.readlink("/proc/self/ns/pid")  # noqa: PTH115 - its target is no path
    return f"{zlib.crc32(f'{platform.node()} {space}'.encode()):08x}"


def _is_running(process: int) -> bool:
    if os.name != "posix":
        return True
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # it is another user's
        return True
    return True
