"""Keep the C allocator from handing every large tensor back to the system and fetching it again.

glibc maps each block above 32 MiB anew and unmaps it when freed, so that a network on large tiles spends most of
its time in page faults: without this, a forward pass of ``half-multiresunet`` on 1024 px took five times longer.
"""

import ctypes
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
_KEEP = 1 << 30
_GLIBC_DEFAULT = 128 * 1024
_lock = threading.Lock()
_users = 0


@contextmanager
def reused_memory() -> Iterator[None]:
    """While the block runs, let glibc keep freed memory for the next tile; give it back at the end.

    Does nothing on other C libraries.
    """
    global _users
    libc = _glibc()
    if libc is None:
        yield
        return
    with _lock:
        _users += 1
        libc.mallopt(_MMAP_THRESHOLD, _KEEP)
        libc.mallopt(_TRIM_THRESHOLD, _KEEP)
        # Heaps of other threads hold at most 64 MiB, so that larger blocks would be mapped anew after all.
        libc.mallopt(_ARENA_MAX, 1)
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if not _users:
                libc.mallopt(_MMAP_THRESHOLD, _GLIBC_DEFAULT)
                libc.mallopt(_TRIM_THRESHOLD, _GLIBC_DEFAULT)
                libc.malloc_trim(0)


def _glibc() -> ctypes.CDLL | None:
    try:
        libc = ctypes.CDLL("libc.so.6")
    except OSError:
        return None
    return libc if hasattr(libc, "mallopt") and hasattr(libc, "malloc_trim") else None
