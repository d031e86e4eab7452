"""Files and folders appear whole or not at all, and what was there before is never lost."""

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from napari_mpseg import files, leftovers
from napari_mpseg.errors import Cancelled, StoreError
from napari_mpseg.files import finished_at, finished_together


def tree(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def ended_process():
    """The number of a process that has run and ended."""
    return int(subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True).stdout)


def left_by(process, place, ending):
    """The name of what the process was writing for `place`."""
    mark = leftovers.new_mark().split("-")
    mark[1] = str(process)
    return files._beside(place, "-".join(mark), ending)


def test_a_file_is_there_only_when_the_block_has_ended(tmp_path):
    place = tmp_path / "new" / "folder" / "table.csv"
    with finished_at(place) as part:
        part.write_text("all of it")
        assert not place.exists()
    assert place.read_text() == "all of it"
    assert tree(tmp_path) == ["new", "new/folder", "new/folder/table.csv"]


@pytest.mark.parametrize("error", [ValueError("x"), Cancelled("x"), KeyboardInterrupt(), OSError(errno.ENOSPC, "full")])
@pytest.mark.parametrize("kind", ["file", "folder"])
def test_on_any_error_the_old_one_stays_and_nothing_else(tmp_path, error, kind):
    place = tmp_path / "out"
    if kind == "file":
        place.write_text("old")
    else:
        place.mkdir()
        (place / "inside").write_text("old")
    before = tree(tmp_path)
    with pytest.raises(StoreError if isinstance(error, OSError) else type(error)), finished_at(place) as part:  # noqa: PT012
        part.mkdir()
        (part / "half").write_text("new")
        raise error
    assert tree(tmp_path) == before
    assert (place if kind == "file" else place / "inside").read_text() == "old"


def test_folders_made_for_a_failed_file_are_removed_again(tmp_path):
    with pytest.raises(ZeroDivisionError), finished_at(tmp_path / "a" / "b" / "c.txt"):
        1 / 0  # noqa: B018
    assert tree(tmp_path) == []


def test_a_folder_replaces_a_folder_whole(tmp_path):
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "old").touch()
    with finished_at(tmp_path / "store") as part:
        part.mkdir()
        (part / "new").touch()
    assert tree(tmp_path) == ["store", "store/new"]


def test_without_overwriting_nothing_is_begun(tmp_path):
    (tmp_path / "there").write_text("old")
    message = r"there is already there\. Choose another"
    with pytest.raises(StoreError, match=message), finished_at(tmp_path / "there", overwrite=False):
        pytest.fail("the block was entered")


def test_a_folder_is_never_replaced_by_a_file(tmp_path):
    (tmp_path / "table.csv" / "precious").mkdir(parents=True)
    with pytest.raises(StoreError, match=r"table\.csv is a folder"), finished_at(tmp_path / "table.csv") as part:
        part.write_text("x")
    assert tree(tmp_path) == ["table.csv", "table.csv/precious"]


def test_a_symbolic_link_is_followed(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "real").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere" / "real")
    with finished_at(tmp_path / "link") as part:
        part.write_text("new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "elsewhere" / "real").read_text() == "new"


def test_a_name_as_long_as_the_system_allows(tmp_path):
    place = tmp_path / ("n" * 255)
    with finished_at(place) as part:
        part.write_text("x")
    assert place.read_text() == "x"


def test_a_block_that_writes_nothing_is_told(tmp_path):
    with pytest.raises(StoreError, match=r"nothing\.txt: It was not written"), finished_at(tmp_path / "nothing.txt"):
        pass
    assert tree(tmp_path) == []


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.ENOSPC, "disk is full"),
        (errno.EACCES, "no right to write"),
        (errno.EROFS, "can only be read"),
        (errno.EIO, "Choose another folder"),
    ],
)
def test_the_message_names_the_place_the_reason_and_the_way_out(tmp_path, number, advice):
    with pytest.raises(StoreError, match=advice) as caught, finished_at(tmp_path / "table.csv"):
        raise OSError(number, os.strerror(number))
    assert f"{tmp_path}/table.csv: {os.strerror(number)}" in str(caught.value)


def test_arrow_tells_a_full_disk_in_its_text_only(tmp_path):
    with pytest.raises(StoreError, match="free some space"), finished_at(tmp_path / "table.parquet"):
        raise OSError("[Errno 28] Error writing bytes to file. Detail: [errno 28] No space left on device")


def test_copying_a_folder_to_a_full_disk(tmp_path, monkeypatch):
    (tmp_path / "model").mkdir()
    for name in ("card.json", "weights.safetensors"):
        (tmp_path / "model" / name).write_text("x")

    def full(source, target, **_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(target))

    with pytest.raises(StoreError) as caught, finished_at(tmp_path / "copy") as part:
        shutil.copytree(tmp_path / "model", part, copy_function=full)
    assert str(caught.value) == (
        f"Cannot write {tmp_path}/copy: No space left on device. "
        "The disk is full: free some space, or choose a folder on another disk."
    )


def test_errors_from_inside_name_the_real_place(tmp_path):
    """A table that is written within the block knows only its temporary path."""
    with pytest.raises(StoreError) as caught, finished_at(tmp_path / "table.csv") as part, finished_at(part) as inner:
        raise OSError(errno.ENOSPC, "No space left on device", str(inner))
    assert f"Cannot write {tmp_path}/table.csv: No space left" in str(caught.value)
    assert ".part" not in str(caught.value)


def test_a_broken_pipe_is_not_the_disks_fault(tmp_path):
    with pytest.raises(BrokenPipeError), finished_at(tmp_path / "x"):
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")


def test_no_right_to_write_is_told_before_the_work(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "touch", refuse)
    with pytest.raises(StoreError, match="no right to write"), finished_at(tmp_path / "deep" / "x"):
        pytest.fail("the block was entered")
    assert tree(tmp_path) == []


def test_a_file_where_a_folder_is_needed(tmp_path):
    (tmp_path / "file").touch()
    message = r"file is a file, and a folder is needed"
    with pytest.raises(StoreError, match=message), finished_at(tmp_path / "file" / "deep" / "table.csv"):
        pytest.fail("the block was entered")


# several together

NAMES = ("store", "csv", "record")


def write_all(targets, text, **options):
    with finished_together(targets, **options) as parts:
        for name in NAMES:
            if name == "store":
                parts[name].mkdir()
                (parts[name] / "inside").write_text(text)
            else:
                parts[name].write_text(text)


@pytest.fixture
def targets(tmp_path):
    return {"store": tmp_path / "a.zarr", "csv": tmp_path / "a.csv", "record": tmp_path / "a.json"}


def contents(targets):
    return {
        name: (path / "inside" if name == "store" else path).read_text() if path.exists() else None
        for name, path in targets.items()
    }


def test_all_or_none_of_several(targets, tmp_path):
    write_all(targets, "old")
    assert contents(targets) == dict.fromkeys(NAMES, "old")
    with pytest.raises(StoreError, match=r"a\.zarr, .*a\.csv, .*a\.json are already there"):
        write_all(targets, "new")
    write_all(targets, "new", overwrite=True)
    assert contents(targets) == dict.fromkeys(NAMES, "new")
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize(
    ("step", "had_old"), [(step, True) for step in range(6)] + [(step, False) for step in range(3)]
)
def test_when_a_move_fails_all_is_put_back(targets, tmp_path, monkeypatch, step, had_old):
    if had_old:
        write_all(targets, "old")
    rename, calls = Path.rename, []

    def failing(self, target):
        calls.append(self)
        if len(calls) == step + 1:
            raise OSError(errno.EIO, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(StoreError, match="Input/output error"):
        write_all(targets, "new", overwrite=True)
    monkeypatch.undo()
    assert contents(targets) == dict.fromkeys(NAMES, "old" if had_old else None)
    assert len(list(tmp_path.iterdir())) == (3 if had_old else 0)


def test_an_older_one_that_was_not_written_again_goes(targets):
    write_all(targets, "old")
    with finished_together(targets, overwrite=True, optional=["csv"]) as parts:
        parts["store"].mkdir()
        parts["record"].write_text("new")
    assert not targets["csv"].exists()


# after kill -9


def test_what_a_killed_process_left_is_removed(targets, tmp_path):
    left = left_by(ended_process(), targets["store"], "part")
    left.mkdir()
    (left / "half").touch()
    write_all(targets, "new")
    assert not left.exists()
    assert contents(targets) == dict.fromkeys(NAMES, "new")


def test_what_a_living_process_writes_stays(targets):
    mine = left_by(os.getppid(), targets["store"], "part")
    mine.mkdir()
    write_all(targets, "new")
    assert mine.exists()


def test_what_belongs_to_another_name_or_machine_stays(targets, tmp_path):
    process = ended_process()
    other = left_by(process, tmp_path / "b.zarr", "part")
    elsewhere = Path(str(left_by(process, targets["store"], "part")).replace(leftovers._machine(), "00000000"))
    other.mkdir()
    elsewhere.mkdir()
    write_all(targets, "new")
    assert other.exists()
    assert elsewhere.exists()


@pytest.mark.parametrize("moved", range(1, 6))
def test_a_process_killed_while_it_moved_loses_nothing(targets, tmp_path, monkeypatch, moved):
    """Old results of three parts: three moves away, then three into place; killed after `moved` of these."""
    write_all(targets, "old")
    program = f"""
import os, sys, pathlib
from napari_mpseg.files import finished_together
rename, calls = pathlib.Path.rename, []
def killed(self, target):
    rename(self, target)
    calls.append(self)
    if len(calls) == {moved}:
        os.kill(os.getpid(), 9)
pathlib.Path.rename = killed
targets = {{name: pathlib.Path(path) for name, path in { ({k: str(v) for k, v in targets.items()})!r}.items()}}
with finished_together(targets, overwrite=True) as parts:
    for name, part in parts.items():
        if name == "store":
            part.mkdir()
            (part / "inside").write_text("new")
        else:
            part.write_text("new")
"""
    assert subprocess.run([sys.executable, "-c", program]).returncode == -9
    seen = {}
    with pytest.raises(ZeroDivisionError), finished_together(targets, overwrite=True):  # noqa: PT012
        seen.update(contents(targets))
        1 / 0  # noqa: B018
    assert seen == contents(targets) == dict.fromkeys(NAMES, "old")
    assert len(list(tmp_path.iterdir())) == 3


def test_sweeping_takes_only_marked_folders_of_ended_processes(tmp_path):
    mark = leftovers.new_mark()
    dead = mark.replace(f"-{os.getpid()}-", f"-{ended_process()}-")
    for name in (f"tmp-{mark}-x", f"tmp-{dead}-x", "tmp-of-somebody", f"other-{dead}-x"):
        (tmp_path / name).mkdir()
    leftovers.sweep(tmp_path, "tmp-")
    assert tree(tmp_path) == sorted([f"tmp-{mark}-x", "tmp-of-somebody", f"other-{dead}-x"])


def test_where_processes_cannot_be_asked_nothing_is_left_over(monkeypatch):
    dead = leftovers.new_mark().replace(f"-{os.getpid()}-", f"-{ended_process()}-")
    assert leftovers.is_left_over(dead)
    monkeypatch.setattr(leftovers, "os", SimpleNamespace(name="nt"))
    assert not leftovers.is_left_over(dead)
    assert not leftovers.is_left_over("holiday.jpg")
