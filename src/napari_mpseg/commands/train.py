"""``napari-mpseg train``: a model from labelled images."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_mpseg.commands.arguments import add_quiet, count
from napari_mpseg.commands.command import Command
from napari_mpseg.commands.console import console_work, say

if TYPE_CHECKING:
    from napari_mpseg.training.preset import Preset


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "data", nargs="?", type=Path, metavar="DATA", help="folder of images, with labels of the same names in 'labels'"
    )
    parser.add_argument(
        "--pair", nargs=2, action="append", default=[], metavar=("IMAGE", "LABELS"), help="an image and its labels"
    )
    parser.add_argument("--out", required=True, type=Path, metavar="MODEL", help="model folder to write")
    add_preset(parser)
    parser.add_argument(
        "--painted",
        choices=("dense", "scribbles"),
        default="dense",
        help="dense: 0 is background, all else particle; scribbles: 0 is unpainted and not learnt from",
    )
    parser.add_argument(
        "--background-label", type=count, default=1, metavar="N", help="which label of scribbles is background"
    )
    parser.add_argument("--particle-value", type=count, metavar="N", help="the value in DATA/labels that is particle")
    parser.add_argument("--start", metavar="MODEL", help="model to start from, 'default' or 'scratch'")
    add_pretrain(parser)
    parser.add_argument("--name", help="name of the model (default: that of its folder)")
    add_machine(parser)
    parser.add_argument("--tensorboard", type=Path, metavar="DIR", help="also write a log for TensorBoard")
    parser.add_argument("--overwrite", action="store_true", help="replace the model in MODEL")
    add_quiet(parser)


def add_preset(parser: argparse.ArgumentParser, default: str = "painted") -> None:
    """Add ``--preset`` and ``--set``."""
    parser.add_argument(
        "--preset", default=default, metavar="NAME", help="a recipe ('napari-mpseg presets' lists them) or a JSON file"
    )
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="change a setting: epochs=5, optimiser.name=sgd"
    )


def add_pretrain(parser: argparse.ArgumentParser) -> None:
    """Add ``--pretrain`` and ``--pretrain-epochs``."""
    parser.add_argument(
        "--pretrain",
        metavar="WHAT",
        help="learn from other images first: 'synthetic' (filters made from nothing), 'semi' (the labelled particles "
        "cut out and pasted elsewhere) or a folder of images with labels; 'none' leaves out the recipe's own",
    )
    parser.add_argument(
        "--pretrain-epochs", type=count, metavar="N", help="epochs on these images (without, as many as on your own)"
    )


def recipe_of(options: argparse.Namespace) -> "Preset":
    """Return the preset with what was changed in it, and the earlier stage that was asked for.

    Raises
    ------
    SettingsError
        If a setting is wrong, there is no such kind of image, or no earlier stage that could have so many epochs.
    """
    from napari_mpseg.commands.presets import preset_of
    from napari_mpseg.errors import SettingsError
    from napari_mpseg.training.made_images import kind_of

    preset = preset_of(options.preset, options.set, options.pretrain)
    if preset.before is not None:
        kind_of(preset.before)
    elif options.pretrain_epochs is not None:
        raise SettingsError(
            "--pretrain-epochs is for a network that learns from other images first. Say which: --pretrain synthetic, "
            "semi or FOLDER."
        )
    return preset if options.pretrain_epochs is None else preset.changed(**{"before.epochs": options.pretrain_epochs})


def add_machine(parser: argparse.ArgumentParser) -> None:
    """Add ``--device`` and ``--threads``."""
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda", "mps"), help="where to compute")
    parser.add_argument("--threads", type=count, default=0, metavar="N", help="processor threads; 0 for all")


def run(options: argparse.Namespace) -> None:
    """Train, save, and say what was reached."""
    from napari_mpseg.errors import Cancelled, SettingsError, StoreError
    from napari_mpseg.experiments.operating_point import check_operating_point, with_operating_point
    from napari_mpseg.leftovers import remove
    from napari_mpseg.training.data.pairs import folder_files, load_folder
    from napari_mpseg.training.train import prepare_training

    if options.out.exists() and not options.overwrite:
        raise StoreError(f"{options.out} exists. Choose another --out, or give --overwrite.")
    preset = recipe_of(options)
    pairs: list[Any] = [tuple(pair) for pair in options.pair]
    if options.data is not None and options.particle_value is None:
        pairs += folder_files(options.data)
    elif options.data is not None:
        if options.painted != "dense":
            raise SettingsError("--particle-value is for dense masks. Leave it out, or take --background-label.")
        pairs += load_folder(options.data, options.particle_value)
    if not pairs:
        raise SettingsError("There is nothing to learn from. Give a folder of labelled images, or --pair IMAGE LABELS.")
    check_operating_point(preset.settings)
    use_threads(options.threads)
    checkpoint = options.out.with_name(f"{options.out.name}.training")
    with console_work(options.quiet) as (on_progress, cancel), _logged(options.tensorboard) as on_event:
        try:
            session = prepare_training(
                pairs,
                preset,
                painted=options.painted,
                background_label=options.background_label,
                start=options.start,
                name=options.name or options.out.name,
                device=options.device,
                checkpoint=checkpoint,
                on_progress=on_progress,
                cancel=cancel,
            )
            _tell_start(session, checkpoint)
            model = session.run(on_progress=on_progress, on_event=on_event, control=cancel)
            cancel.check()  # stopped: the checkpoint stays, and the same command goes on from it
            model = with_operating_point(session, model, device=options.device, on_progress=on_progress, cancel=cancel)
        except Cancelled as stop:
            stop.kept = str(checkpoint) if checkpoint.exists() else ""
            raise
    model.save(options.out, overwrite=options.overwrite)
    remove(checkpoint)
    _tell(session, model)
    say(f"Model     {options.out}")


def use_threads(threads: int) -> None:
    """Let torch use so many processor threads; 0 leaves all."""
    if threads:
        import torch

        torch.set_num_threads(threads)


def _tell_start(session: Any, checkpoint: Path) -> None:
    for note in session.notes:
        say(f"Note      {note}")
    if session.resumed:
        say(f"Going on after epoch {session.resumed} of {session.epochs} ({checkpoint})")


def _tell(session: Any, model: Any) -> None:
    history = session.history
    if not history:
        return
    before = model.card.training.get("before") or {}
    if before:
        last = f", loss {before['last_loss']:.4g}" if before["last_loss"] is not None else ""
        say(f"First     {before['epochs_done']} epochs on other images{last}")
    say(f"Epochs    {len(history) - before.get('epochs_done', 0)}, loss {history[-1].loss:.4g}")
    kept = model.card.scores.get("validation")
    if kept:
        of_particles = f", F1 of particles {kept['object_f1']:.3f}" if "object_f1" in kept else ""
        say(f"Kept      epoch {kept['epoch']}: validation loss {kept['loss']:.4g}, IoU {kept['iou']:.3f}{of_particles}")
    point = model.card.scores.get("operating_point")
    if point:
        say(f"Threshold {point['threshold']:g} ({point['aim']}): recall {point['recall']:.3f}, F1 {point['f1']:.3f}")


class _logged:
    """Give ``on_event``: a TensorBoard log where one is asked for, else nothing."""

    def __init__(self, folder: Path | None) -> None:
        self._log: Any = None
        if folder is not None:
            from napari_mpseg.training.run.tensorboard_log import TensorBoardLog

            self._log = TensorBoardLog(folder)

    def __enter__(self) -> Callable[[Any], None]:
        return self._log if self._log is not None else lambda event: None

    def __exit__(self, *_: object) -> None:
        if self._log is not None:
            self._log.close()


COMMAND = Command(
    "train",
    "train a network on labelled images",
    configure,
    run,
    """\
Train a network on images with painted labels, and write a model folder that 'segment --method MODEL' takes.
With --pretrain the network learns from made images first and goes on from there on yours.
The run is saved after every epoch beside MODEL: if it is stopped or killed, the same command goes on from there.""",
)
