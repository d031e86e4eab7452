"""A killed batch goes on, and ends with the same tables."""

import subprocess
import sys

import pandas as pd
import pytest

from napari_mpseg.batch.run import run_batch

_RUN = """
import sys
from napari_mpseg.batch.run import run_batch
from napari_mpseg.batch.settings import BatchSettings

if __name__ == "__main__":
    settings = BatchSettings("fixed-level", pixel_size="5um", parallel=sys.argv[3])
    run_batch(sys.argv[1], sys.argv[2], settings, on_image=lambda one: print(one.name, flush=True))
"""


@pytest.fixture
def killed(tmp_path):
    """Return a function that runs a batch in another process and kills it after so many images."""
    script = tmp_path / "run.py"
    script.write_text(_RUN)

    def run(scans, out, parallel, after):
        command = [sys.executable, str(script), str(scans), str(out), parallel]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            ended = [process.stdout.readline().strip() for _ in range(after)]
            process.kill()  # SIGKILL: nothing can be put in order any more
        return ended

    return run


@pytest.mark.usefixtures("no_plots")
@pytest.mark.parametrize(
    "parallel", ["chunks", pytest.param("images:2", marks=pytest.mark.slow)]
)  # processes load all libraries again
def test_a_killed_batch_goes_on_and_ends_with_the_same_tables(squares, killed, tmp_path, settings, parallel):
    for number in range(6):
        squares(f"a_{number}.png", number)
    (tmp_path / "scans" / "a_2.png").write_bytes(b"")
    ended = killed(tmp_path / "scans", tmp_path / "out", parallel, 3)
    assert all(name.startswith("a_") for name in ended)
    assert not (tmp_path / "out" / "batch_summary.csv").exists()
    again = run_batch(tmp_path / "scans", tmp_path / "out", settings)
    earlier = {one.name for one in again.images if one.earlier}
    assert set(ended) - {"a_2"} <= earlier
    assert len(earlier) < 5
    whole = run_batch(tmp_path / "scans", tmp_path / "whole", settings)
    pd.testing.assert_frame_equal(again.summary.drop(columns="seconds"), whole.summary.drop(columns="seconds"))
    pd.testing.assert_frame_equal(again.samples, whole.samples)
    for table in ("a_1_particles.csv", "a_5_particles.csv"):
        assert (tmp_path / "out" / table).read_bytes() == (tmp_path / "whole" / table).read_bytes()
