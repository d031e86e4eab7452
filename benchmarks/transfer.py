"""Does learning from made images first help on real ones? Cross-validation with and without, paired.

    python benchmarks/transfer.py DATA/mpnet [--repeats 3] [--steps 200] [--out transfer] [--page docs/transfer.md]

DATA holds `fold_*` folders of labelled patches, where 0 is particle (or one folder of images with `labels`, which is
cut into --folds). Every arm trains the same network on the same patches with the same seeds; each fold is predicted by
networks that never saw it, and semi-synthetic images are cut out of the training patches alone. Results lie in OUT:
killed, the same command goes on where it was.
"""

import argparse
from pathlib import Path

import torch

from napari_mpseg.commands.console import console_work
from napari_mpseg.experiments.transfer import ARMS, SETS, TransferSettings, read_transfer, run_transfer
from napari_mpseg.experiments.transfer_table import transfer_tables
from napari_mpseg.marked_page import with_tables
from napari_mpseg.training.data.folders import folds_of


def parser() -> argparse.ArgumentParser:
    """Return the arguments."""
    made, default = argparse.ArgumentParser(description=__doc__.splitlines()[0]), TransferSettings()
    made.add_argument("data", type=Path)
    made.add_argument("--out", type=Path, default=Path("transfer"), help="folder of results")
    made.add_argument("--folds", type=int, help="folds to cut one folder into")
    made.add_argument("--particle-value", type=int, default=0)
    for name in ("repeats", "steps", "steps_before", "made", "few", "size", "batch", "seed"):
        made.add_argument(f"--{name.replace('_', '-')}", type=int, default=getattr(default, name))
    made.add_argument("--sets", nargs="+", default=default.sets, choices=tuple(SETS))
    made.add_argument("--arms", nargs="+", default=default.arms, choices=tuple(ARMS))
    made.add_argument("--network", default=default.network)
    made.add_argument("--threads", type=int, default=1)
    made.add_argument("--device", default="cpu")
    made.add_argument("--page", type=Path, help="write the tables into this page, between their marks")
    made.add_argument("--tables-only", action="store_true", help="train nothing: tables of what is done")
    return made


def settings_of(options: argparse.Namespace) -> TransferSettings:
    """Return the settings that the arguments say."""
    names = ("repeats", "steps", "steps_before", "made", "few", "size", "batch", "seed", "network")
    values = {name: getattr(options, name) for name in names}
    return TransferSettings(**values, sets=tuple(options.sets), arms=tuple(options.arms))


def main(arguments: list[str] | None = None) -> None:
    options = parser().parse_args(arguments)
    torch.set_num_threads(options.threads)
    settings = settings_of(options)
    folds = folds_of(options.data, options.folds, particle_value=options.particle_value, seed=options.seed)
    if options.tables_only:
        tested = read_transfer(settings, len(folds), options.out)
    else:
        with console_work(quiet=True) as (_, cancel):
            tested = run_transfer(folds, settings, options.out, device=options.device, on_case=told, cancel=cancel)
    tables = transfer_tables(tested)
    print(tables)
    if options.page:
        page = options.page.read_text(encoding="utf-8")
        options.page.write_text(with_tables(page, {"transfer": lambda: tables}), encoding="utf-8")


def told(tested) -> None:
    case = tested.case
    print(
        f"{case.set} repeat {case.repeat} without fold {case.fold + 1}: {case.arm}, {tested.seconds:.0f} s", flush=True
    )


if __name__ == "__main__":
    main()
