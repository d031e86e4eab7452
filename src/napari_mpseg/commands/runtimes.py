"""``napari-mpseg runtimes``: what can compute networks here, how fast, and what is chosen."""

import argparse
import textwrap
from typing import TYPE_CHECKING

from napari_mpseg.commands.command import Command
from napari_mpseg.commands.console import console_work, say

if TYPE_CHECKING:
    import torch

    from napari_mpseg.inference.runtimes.calibration import Calibration
    from napari_mpseg.networks.modelfile import Model

_WIDTH = 92
_PATIENCE = 120.0  # seconds for a calibration that was asked for


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("--model", metavar="DIR", help="model folder whose speed is meant; default the bundled network")
    parser.add_argument("--device", default="auto", metavar="NAME", help="auto, cpu, cuda, mps (default: auto)")
    parser.add_argument(
        "--calibrate",
        action="store_true",
        help="measure all runtimes now, and keep what was found for later runs (a minute or two at most)",
    )


def run(options: argparse.Namespace) -> None:
    """Print the registry of runtimes, what was measured, and the choice."""
    from napari_mpseg.inference.runtimes import RUNTIMES
    from napari_mpseg.inference.runtimes.calibration import calibration_key, device_name, kept_calibration
    from napari_mpseg.networks.bundled import bundled_model
    from napari_mpseg.networks.device import choose_device
    from napari_mpseg.networks.modelfile import load_model

    model = bundled_model() if options.model is None else load_model(options.model)
    device = choose_device(options.device)
    for entry in RUNTIMES.values():
        reason = entry.available(device)
        say(entry.name if reason is None else f"{entry.name} (not here)")
        told = f"{entry.title}. {entry.summary}" if reason is None else f"{entry.title}. {reason}"
        say(textwrap.indent(textwrap.fill(told, _WIDTH, break_on_hyphens=False), "    "))
    say(f"\nDevice    {device_name(device)}")
    say(f"Model     {model.card.name}")
    if options.calibrate:
        calibration: Calibration | None = _calibrated(model, device)
    else:
        calibration = kept_calibration(calibration_key(model.network, device))
    _show(calibration)
    _show_choice(calibration, device)


def _calibrated(model: "Model", device: "torch.device") -> "Calibration":
    from napari_mpseg.inference.runtimes.calibration import calibrate, calibration_key, keep_calibration
    from napari_mpseg.inference.runtimes.folding import folded
    from napari_mpseg.inference.runtimes.sampling import synthetic_sample

    with console_work() as (on_progress, cancel):
        found = calibrate(
            folded(model.network),
            model.card.receptive_radius,
            device,
            synthetic_sample(model.card.in_channels),
            seconds=_PATIENCE,
            on_progress=on_progress,
            cancel=cancel,
        )
    keep_calibration(calibration_key(model.network, device), found)
    return found


def _show(calibration: "Calibration | None") -> None:
    from napari_mpseg.inference.runtimes.calibration import MOST_DISAGREEMENT

    if calibration is None:
        say("\nNothing was measured for this model on this device with so many threads. Add --calibrate, or segment")
        say("a large image: what takes longer than measuring is measured first.")
        return
    say(f"\n{'RUNTIME':<16} {'TILE':>5} {'Mpx/s':>8}  DISAGREEMENT")
    for one in calibration.measured:
        note = "" if one.disagreement <= MOST_DISAGREEMENT else "  too much, not chosen automatically"
        say(f"{one.runtime:<16} {one.tile:>5} {one.speed:>8.3g}  {one.disagreement:.2g}{note}")
    for sentence in calibration.left_out:
        say(textwrap.fill(sentence, _WIDTH, break_on_hyphens=False))


def _show_choice(calibration: "Calibration | None", device: "torch.device") -> None:
    from napari_mpseg.inference.runtimes import AUTO
    from napari_mpseg.inference.runtimes.calibration import Calibration
    from napari_mpseg.inference.runtimes.choice import LEAST_PIXELS, checked_runtime, chosen_by, default_choice

    asked = checked_runtime(AUTO, device)
    if asked != AUTO:
        say(f"\nChosen    {asked}, by the variable NAPARI_MPSEG_RUNTIME")
        return
    small, large = default_choice(device), chosen_by(calibration or Calibration(), device)
    say(f"\nChosen    {large.runtime}, tiles of {large.tile} px")
    say(f"          {small.runtime}, tiles of {small.tile} px, for images below {LEAST_PIXELS / 1e6:g} megapixels")


COMMAND = Command("runtimes", "list what can compute networks here, measure it, and tell the choice", configure, run)
