"""How images are segmented, as the command line says it: shared by the commands for one image and for many."""

import argparse

from napari_mpseg.commands.arguments import (
    add_pixel_size,
    add_plane,
    add_rules,
    channel_choice,
    count,
    probability,
    tile_side,
)


def add_method(parser: argparse.ArgumentParser) -> None:
    """Add ``--method`` and ``--set``."""
    parser.add_argument(
        "--method", default="default", metavar="NAME", help="a method (see 'napari-mpseg methods') or a model folder"
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="an option of the method (see 'napari-mpseg methods NAME'); may be given several times",
    )


def add_segmenting(parser: argparse.ArgumentParser) -> None:
    """Add all that is the same for any method."""
    from napari_mpseg.inference.augmentation import TTA

    parser.add_argument(
        "--background",
        metavar="WAY[:RADIUS]",
        help="subtract an uneven background first: rolling-ball, top-hat or gaussian, with a radius in pixels",
    )
    parser.add_argument(
        "--threshold",
        type=probability,
        metavar="P",
        help="probability, 0 to 1, above which pixels are particle; without, the method's own",
    )
    parser.add_argument(
        "--min-size", type=count, metavar="PX", help="drop particles of fewer pixels; without, 3 or the method file's"
    )
    add_pixel_size(parser)
    parser.add_argument(
        "--channels",
        type=channel_choice,
        metavar="LIST",
        help="names or numbers from 0, such as red or 0,2; without, all",
    )
    add_rules(parser)
    add_plane(parser)
    parser.add_argument("--connectivity", type=int, choices=(4, 8), default=8, help="neighbours that join pixels")
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda", "mps"), help="where to compute")
    parser.add_argument(
        "--rescale", action="store_true", help="networks: show the image at the pixel size of the training"
    )
    parser.add_argument(
        "--tta",
        metavar="LIST",
        help="test-time augmentation, for networks: the mean over several changed looks at the image, each as slow as "
        f"one alone; names with commas between them, of {', '.join(TTA)}",
    )
    parser.add_argument(
        "--tile-size", type=tile_side, metavar="PX", help="side of a tile; a smaller one needs less memory"
    )
    parser.add_argument(
        "--runtime",
        default="auto",
        metavar="NAME",
        help="networks: what computes them (see 'napari-mpseg runtimes'); without, what is fastest here",
    )
    parser.add_argument(
        "--skip-empty",
        metavar="WAY",
        help="leave out parts that cannot hold a particle, faster at some risk: background or low-resolution",
    )
    parser.add_argument(
        "--scheduler",
        metavar="WHERE",
        help="where tiles are done: threads (the default), processes:N, distributed:N, or the address of a dask "
        "scheduler such as tcp://host:8786",
    )


def neighbours(options: argparse.Namespace) -> int:
    """Return the connectivity as scikit-image counts it: 2 for 8 neighbours, 1 for 4."""
    return 2 if options.connectivity == 8 else 1


def augmentation_names(text: str | None) -> list[str] | None:
    """Read ``flips,contrast``; ``none`` is none at all, and nothing leaves it to the model."""
    return None if text is None else [name.strip() for name in text.split(",") if name.strip() != "none"]
