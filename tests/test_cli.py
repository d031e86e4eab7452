"""The command line as a script meets it: exit codes, output, interruption."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from napari_mpseg import cli

COMMAND = [sys.executable, "-m", "napari_mpseg.cli"]
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}


def mpseg(*arguments, **options):
    return subprocess.run(
        [*COMMAND, *map(str, arguments)], capture_output=True, text=True, env=ENVIRONMENT, timeout=120, **options
    )


@pytest.fixture
def file(tmp_path):
    image = np.zeros((100, 100), np.uint8)
    image[10:14, 20:26] = 200
    np.save(tmp_path / "spots.npy", image)
    return tmp_path / "spots.npy"


def exit_code(*arguments):
    """The exit code of a run in this process."""
    try:
        return cli.main([str(argument) for argument in arguments])
    except SystemExit as stopped:
        return stopped.code


def test_help_tells_commands_examples_and_exit_codes(capsys):
    assert exit_code("--help") == 0
    text = capsys.readouterr().out
    for word in ("demo", "segment", "measure", "methods", "examples:", "exit codes: 0 done, 1 failed"):
        assert word in text


@pytest.mark.parametrize("command", ["demo", "segment", "measure", "methods", "train-bundled"])
def test_every_command_has_help_without_noise(command, capsys):
    assert exit_code(command, "--help") == 0
    text = capsys.readouterr().out
    assert "usage: napari-mpseg" in text
    assert "(default: None)" not in text
    assert "(default: False)" not in text


def test_version(capsys):
    assert exit_code("--version") == 0
    assert capsys.readouterr().out.startswith("napari-mpseg 0.")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "COMMAND"),
        (["sgment"], "invalid choice"),
        (["segment"], "IMAGE, --out"),
        (["segment", "a.tif"], "--out"),
        (["segment", "a.tif", "--out", "o", "--threshold", "1"], "not a probability"),
        (["segment", "a.tif", "--out", "o", "--threshold", "-0.1"], "not a probability"),
        (["segment", "a.tif", "--out", "o", "--threshold", "nan"], "not a probability"),
        (["segment", "a.tif", "--out", "o", "--threshold", "half"], "not a probability"),
        (["segment", "a.tif", "--out", "o", "--min-size", "-3"], "not a whole number of 0 or more"),
        (["segment", "a.tif", "--out", "o", "--min-size", "2.5"], "not a whole number of 0 or more"),
        (["segment", "a.tif", "--out", "o", "--min-size", "9" * 9999], "not a whole number of 0 or more"),
        (["segment", "a.tif", "--out", "o", "--tile-size", "0"], "give 32 pixels or more"),
        (["segment", "a.tif", "--out", "o", "--tile-size", "-512"], "give 32 pixels or more"),
        (["segment", "a.tif", "--out", "o", "--pixel-size", "0um"], "must be above zero"),
        (["segment", "a.tif", "--out", "o", "--pixel-size", "2.5"], "Write for example 2.5um"),
        (["segment", "a.tif", "--out", "o", "--plane", "first"], "is not a plane"),
        (["segment", "a.tif", "--out", "o", "--channels", "red,"], "is no list of channels"),
        (["segment", "a.tif", "--out", "o", "--connectivity", "6"], "invalid choice"),
        (["segment", "a.tif", "--out", "o", "--device", "tpu"], "invalid choice"),
        (["demo", "--size", "0"], "not a number of pixels"),
        (["demo", "--seed", "-1"], "not a whole number"),
    ],
)
def test_wrong_arguments_are_2(arguments, message, capsys):
    assert exit_code(*arguments) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["segment", "FILE", "--out", "OUT", "--method", "nosuch"], "No method is called 'nosuch'"),
        (["segment", "FILE", "--out", "OUT", "--method", "otsu", "--set", "channel"], "NAME=VALUE"),
        (["segment", "FILE", "--out", "OUT", "--method", "otsu", "--set", "foo=1"], "'foo'"),
        (["segment", "FILE", "--out", "OUT", "--method", "otsu", "--background", "foo"], "'foo'"),
        (["methods", "sauvole"], "sauvole"),
        (["train-forest", "--out", "OUT"], "nothing to learn from"),
        (["train-forest", "--pair", "FILE", "FILE", "--trees", "0", "--out", "OUT"], "trees = 0"),
        (["threshold", "default", "DATA", "--store", "--store-as", "OUT"], "exclude each other"),
        (["protocol", "nosuch"], "'nosuch'"),
        (["protocol", "baek-2021", "DATA"], "--out"),
    ],
)
def test_wrong_arguments_are_2_whoever_notices(arguments, message, file, tmp_path, capsys):
    places = {"FILE": file, "OUT": tmp_path / "out", "DATA": tmp_path}
    assert exit_code(*(places.get(one, one) for one in arguments)) == 2
    error = capsys.readouterr().err
    assert error.startswith("napari-mpseg: ")
    assert message in error
    assert not (tmp_path / "out").exists()


def test_failure_is_1_with_one_line(file, tmp_path, capsys):
    assert exit_code("segment", tmp_path / "none.tif", "--out", tmp_path / "out") == 1
    error = capsys.readouterr().err
    assert error.startswith("napari-mpseg: ")
    assert error.count("\n") == 1
    assert "none.tif is not there" in error
    assert not (tmp_path / "out").exists()


def test_too_little_memory_is_told(monkeypatch, capsys, file, tmp_path):
    def large(*_, **__):
        raise MemoryError

    monkeypatch.setattr("napari_mpseg.pipeline.segment", large)
    assert exit_code("segment", file, "--out", tmp_path / "out") == 1
    assert "There is not enough memory. Close other programs, or give --tile-size 256." in capsys.readouterr().err


def test_too_little_memory_names_no_option_that_a_command_lacks(monkeypatch, capsys):
    def large(*_, **__):
        raise MemoryError

    monkeypatch.setattr("napari_mpseg.networks.inspection.describe", large)
    assert exit_code("networks") == 1
    error = capsys.readouterr().err
    assert "There is not enough memory" in error
    assert "--tile-size" not in error


def test_ctrl_c_before_the_work_is_130(monkeypatch, capsys):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("napari_mpseg.commands.console.print", interrupted, raising=False)
    assert exit_code("methods") == 130
    assert "Stopped" in capsys.readouterr().err


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
def test_ctrl_c_while_the_commands_are_loaded_is_130():
    """A signal that arrives in the middle of the start-up, before any arguments are read."""
    program = (
        "import builtins, os, signal, sys\n"
        "from napari_mpseg.cli import main\n"
        "load = builtins.__import__\n"
        "def slow(name, *rest, **more):\n"
        "    if name == 'napari_mpseg.commands': os.kill(os.getpid(), signal.SIGINT)\n"
        "    return load(name, *rest, **more)\n"
        "builtins.__import__ = slow\n"
        "sys.exit(main(['methods']))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=ENVIRONMENT, timeout=60)
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr == "\nStopped. Nothing half-made was left behind.\n"


def test_warnings_are_one_line(monkeypatch, capsys, file, tmp_path):
    import warnings

    from napari_mpseg import pipeline

    segment = pipeline.segment

    def odd(*arguments, **options):
        warnings.warn("the pixel size is odd", UserWarning, stacklevel=2)
        return segment(*arguments, **options)

    monkeypatch.setattr("napari_mpseg.pipeline.segment", odd)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        assert exit_code("segment", file, "--out", tmp_path / "out", "--method", "fixed-level", "--quiet") == 0
    assert capsys.readouterr().err == "napari-mpseg: warning: the pixel size is odd\n"


def test_as_a_program(file, tmp_path):
    """A name outside the terminal's alphabet, no terminal, and nothing on stderr but progress."""
    odd = file.rename(tmp_path / "Müll_粒子.npy")
    environment = {**ENVIRONMENT, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(
        [*COMMAND, "segment", odd, "--out", tmp_path / "out", "--method", "fixed-level"],
        capture_output=True,
        text=True,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    assert "Particles 1 (of 3 px or more)" in done.stdout
    assert (tmp_path / "out" / "Müll_粒子_particles.csv").exists()
    for line in done.stderr.splitlines():
        assert line.split(":")[0] in ("Reading the histogram", "Segmenting", "Numbering", "Measuring", "Drawing")


def test_a_reader_that_goes_away_is_no_failure(file, tmp_path):
    """``| head``: the pipe is closed before anything is written."""
    program = subprocess.Popen(
        [*COMMAND, "segment", file, "--out", tmp_path / "out", "--method", "fixed-level"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=ENVIRONMENT,
    )
    program.stdout.close()
    error = program.stderr.read().decode()
    assert program.wait(60) == 0
    assert "Error" not in error
    assert (tmp_path / "out" / "spots_run.json").exists()


# interruption


@pytest.fixture
def large(tmp_path):
    """An image of a thousand tiles, some ten seconds of work."""
    array = np.lib.format.open_memmap(tmp_path / "large.npy", "w+", np.uint8, (4096, 4096))
    array[::40, ::40] = 255
    array.flush()
    return tmp_path / "large.npy"


def begin(image, out):
    """Start segmenting, and return when the first tiles are written."""
    program = subprocess.Popen(
        [*COMMAND, "segment", image, "--out", out, "--method", "fixed-level", "--tile-size", "128", "--min-size", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
    )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and program.poll() is None:
        if list(out.glob("*.unfinished/store-*/0/c/*/*")) and list(out.glob("*.unfinished/journal-*/*")):
            return program
        time.sleep(0.01)
    program.kill()
    pytest.fail(f"no tile was written: {program.communicate()}")


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
def test_interrupted_in_the_middle(large, tmp_path):
    program = begin(large, tmp_path / "out")
    start = time.monotonic()
    program.send_signal(signal.SIGINT)
    _, error = program.communicate(timeout=60)
    assert program.returncode == 130
    kept = tmp_path / "out" / "large.unfinished"
    assert error.endswith(f"Stopped. What is finished is kept in {kept}: the same command goes on from there.\n")
    assert "Traceback" not in error
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["large.unfinished"]
    assert time.monotonic() - start < 20


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
def test_killed_in_the_middle_the_same_command_works_again(large, file, tmp_path):
    program = begin(large, tmp_path / "out")
    program.kill()
    program.communicate(timeout=60)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["large.unfinished"]
    small = np.load(large)[:100, :100]
    np.save(large, small)
    command = ("segment", large, "--out", tmp_path / "out", "--method", "fixed-level", "--min-size", 0)
    assert exit_code(*command) == 1  # it is another image
    assert exit_code(*command, "--restart") == 0
    found = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert found == sorted(
        f"large{ending}"
        for ending in (".ome.zarr", "_overlay.png", "_particles.csv", "_particles.parquet", "_run.json")
    )
