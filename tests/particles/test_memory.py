"""Memory does not grow with the image: 4096 and 32768 pixels a side, with the same particles, within 300 MiB."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


def peak(script, option, side, *more):
    command = [sys.executable, BENCHMARKS / script, option, str(side), *more]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found = json.loads(done.stdout)
    assert found["particles"] == 4096
    return found["peak in MiB"]


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of one process is read from /proc")
@pytest.mark.parametrize(
    ("script", "option", "more"),
    [
        ("measure_memory.py", "--one", ()),
        ("measure_memory.py", "--one", ("--scheduler", "threads:2", "--properties", "all")),
        ("labelling.py", "--peak", ()),
    ],
)
def test_peak_memory_is_that_of_a_few_blocks(script, option, more):
    small, large = (peak(script, option, side, *more) for side in (4096, 32768))
    assert large - small < 300
