"""Dask clusters: found by name, address or client, refused where they do not fit, and left as they were."""

import os
import signal
import subprocess
import sys
import threading
from types import SimpleNamespace

import pytest

from napari_mpseg.errors import SettingsError, UnknownNameError
from napari_mpseg.inference.schedulers import SCHEDULERS, find_scheduler, opened
from napari_mpseg.inference.schedulers.cluster import check_environment

distributed = pytest.importorskip("distributed")


def test_names_and_numbers_are_read():
    assert find_scheduler(None).name == "threads"
    assert find_scheduler("threads:3").workers == 3
    assert find_scheduler("processes:2").workers == 2
    assert find_scheduler("distributed:5").workers == 5
    assert find_scheduler("tcp://10.0.0.1:8786").address == "tcp://10.0.0.1:8786"
    scheduler = find_scheduler("threads")
    assert find_scheduler(scheduler) is scheduler


@pytest.mark.parametrize("name", ["threads:0", "processes:two", "distributed:-1"])
def test_impossible_numbers_are_refused(name):
    with pytest.raises(SettingsError, match="give a number of 1 or more"):
        find_scheduler(name)


def test_an_unknown_name_says_what_there_is():
    with pytest.raises(UnknownNameError, match="processes"):
        find_scheduler("fibres")


@pytest.mark.parametrize("name", list(SCHEDULERS))
def test_every_entry_says_what_it_is(name):
    entry = SCHEDULERS[name]
    assert entry.title
    assert entry.summary.endswith(".")
    assert find_scheduler(entry.example).name in ("threads", "processes", "distributed")


@pytest.mark.parametrize("name", ["distributed:2", "tcp://localhost:8786"])
def test_the_missing_package_is_named(monkeypatch, name):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(SettingsError, match=r'pip install "napari-mpseg\[distributed\]"'):
        find_scheduler(name)


def test_an_address_where_nobody_answers(works, run, tmp_path, monkeypatch):
    monkeypatch.setattr("napari_mpseg.inference.schedulers.cluster._CONNECTING", 0.5)
    with pytest.raises(SettingsError, match=r"No dask scheduler answers at tcp://127\.0\.0\.1:9"):
        run(find_scheduler("tcp://127.0.0.1:9"), works.Squares(tmp_path), [1])


def test_a_cluster_is_used_by_its_address_and_left_as_it_was(client, works, run, tmp_path):
    results, _ = run(find_scheduler(client.scheduler.address), works.Squares(tmp_path), range(4))
    assert results == {n: n * n for n in range(4)}
    assert client.status == "running"
    assert not any("mpseg" in name for names in client.run(works.plugins).values() for name in names)


def test_no_client_becomes_the_default_one(client, works, run, tmp_path):
    run(find_scheduler(client.scheduler.address), works.Squares(tmp_path), range(2))
    with pytest.raises(ValueError, match="No clients found"):
        distributed.default_client()


def test_an_asynchronous_client_is_refused(client, monkeypatch):
    monkeypatch.setattr(type(client), "asynchronous", True)
    with pytest.raises(SettingsError, match="asynchronous"):
        find_scheduler(client)


def test_killing_a_worker_from_outside_costs_only_its_items(client, works, run, tmp_path):
    victim = sorted(client.run(os.getpid).values())[0]
    once = iter([victim])

    def kill(item, result):
        for process in once:
            os.kill(process, signal.SIGKILL)

    work = works.Sums(tmp_path, 60)
    results, _ = run(find_scheduler(client), work, [("sum", n) for n in range(60)], on_result=kill)
    assert results == {("sum", n): sum(m for m in (n - 1, n, n + 1) if 0 <= m < 60) for n in range(60)}
    assert len(works.notes(tmp_path, "sum")) < 90


@pytest.mark.slow
def test_a_worker_that_comes_later_gets_the_work_too(client, works, run, tmp_path):
    started = []

    def start(item, result):
        if not started:
            command = [
                "-m",
                "distributed.cli.dask_worker",
                client.scheduler.address,
                "--nthreads",
                "1",
                "--no-dashboard",
            ]
            started.append(subprocess.Popen([sys.executable, *command], stderr=subprocess.DEVNULL))

    try:
        results, _ = run(find_scheduler(client), works.Squares(tmp_path, slow=0.1), range(150), on_result=start)
    finally:
        started[0].terminate()
        started[0].wait()
    assert results == {n: n * n for n in range(150)}
    assert len({note.split("-")[2] for note in works.notes(tmp_path, "did")}) == 3


def test_other_versions_are_refused_before_the_work(client, works, run, tmp_path, monkeypatch):
    from napari_mpseg.inference.schedulers import plugin

    real = plugin.versions()
    monkeypatch.setattr(plugin, "versions", lambda: {**real, "torch": "0.4.1"})
    with pytest.raises(SettingsError, match=r"torch 0\.4\.1 here, .* there.*same environment"):
        run(find_scheduler(client), works.Squares(tmp_path), range(4))
    assert not works.notes(tmp_path, "did")


@pytest.mark.parametrize(
    ("python", "package", "told"),
    [
        ("3.12.1", "0.1", "Python 3.12 with napari-mpseg 0.1, here Python 3.11 with 0.1"),
        ("3.11.9", None, "Python 3.11 with napari-mpseg not installed"),
        ("3.11.9", "0.2", "napari-mpseg 0.2, here"),
        ("3.11.1", "0.1", ""),
    ],
)
@pytest.mark.parametrize("place", ["scheduler", "worker"])
def test_another_release_or_python_is_refused(python, package, told, place):
    def versions(python, package):
        return {"host": {"python": python}, "packages": {"napari_mpseg": package}}

    here = versions("3.11.4", "0.1")
    there = versions(python, package)
    found = {"client": here, "scheduler": here, "workers": {"tcp://a:1": here, "tcp://b:1": there}}
    if place == "scheduler":
        found = {"client": here, "scheduler": there, "workers": {}}
    client = SimpleNamespace(get_versions=lambda packages: found)
    if not told:
        check_environment(client)
        return
    with pytest.raises(SettingsError) as caught:
        check_environment(client)
    assert told in str(caught.value)
    assert ("the worker tcp://b:1" if place == "worker" else "the scheduler") in str(caught.value)


@pytest.mark.slow
def test_a_cluster_of_its_own_is_kept_for_the_block_and_ended(works, run, tmp_path):
    with opened("distributed:2") as scheduler:
        for _ in range(2):
            results, _ = run(scheduler, works.Squares(tmp_path, slow=0.02), range(20))
            assert results == {n: n * n for n in range(20)}
        processes = {int(note.split("-")[2]) for note in works.notes(tmp_path, "did")}
        assert len(processes) == 2
    for process in processes:
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)


def test_processes_end_with_the_one_that_started_them(tmp_path):
    """Kill a script in the middle of its work: its processes must not wait, or go on writing."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    started = subprocess.Popen([sys.executable, script, tmp_path], stdout=subprocess.PIPE, text=True)
    process = int(started.stdout.readline())
    started.kill()
    started.wait()
    ended = threading.Event()
    for _ in range(100):
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            ended.set()
            break
        threading.Event().wait(0.05)
    assert ended.is_set()


SCRIPT = """
import os, sys, time
from napari_mpseg.inference.schedulers import find_scheduler
from napari_mpseg.progress import CancelToken, silent

class Slow:
    def needs(self, item):
        return ()
    def do(self, item):
        time.sleep(60 if item else 0)
        return os.getpid()

if __name__ == "__main__":
    find_scheduler("processes:1").run(
        Slow(), [0, 1], stage="", on_result=lambda item, process: print(process, flush=True),
        on_progress=silent, cancel=CancelToken(),
    )
"""
