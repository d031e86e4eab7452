"""``napari-mpseg classify``: what kind of particle each one is, by rules or by a classifier that was trained."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_mpseg.commands.arguments import add_quiet
from napari_mpseg.commands.command import Command
from napari_mpseg.commands.console import console_work, say
from napari_mpseg.errors import SettingsError, StoreError

if TYPE_CHECKING:
    import pandas as pd

    from napari_mpseg.particles.classes.trained import TrainedClassifier
    from napari_mpseg.particles.table import ParticleTable

_ENDINGS = (".csv", ".parquet")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "table",
        nargs="?",
        type=Path,
        metavar="TABLE",
        help="particle table of 'measure' or 'segment', CSV or Parquet, or the folder it is in",
    )
    ways = parser.add_mutually_exclusive_group(required=True)
    ways.add_argument("--rules", metavar="NAME|FILE", help="mp-vat, four-shapes, or a rule set saved as JSON")
    ways.add_argument("--classifier", type=Path, metavar="FOLDER", help="a trained classifier: its folder or JSON file")
    ways.add_argument(
        "--train",
        nargs="+",
        type=Path,
        metavar="ASSIGNED",
        help="learn from these tables, whose column 'class' holds your classes (empty: not yours; a column "
        "'class_assigned' marks yours where others are in it too); a table of label and class only goes with TABLE",
    )
    parser.add_argument("--save-classifier", type=Path, metavar="FOLDER", help="where to save what --train learnt")
    parser.add_argument("--model", default="random-forest", metavar="NAME", help="what --train trains")
    parser.add_argument(
        "--ignore-size",
        action="store_true",
        help="let --train look at no lengths and areas, only at shape and brightness",
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of --train; the same seed, the same answers")
    parser.add_argument(
        "--out", type=Path, metavar="NEW", help="table to write, .csv or .parquet: TABLE with the column 'class'"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace an earlier table or classifier")
    add_quiet(parser)
    parser.set_defaults(wrong=parser.error)


def run(options: argparse.Namespace) -> None:
    """Train where asked, classify, write the table, and print the counts."""
    _check(options)
    classifier = _trained(options) if options.train else None
    if options.table is None:
        return
    table = _read(options.table)
    if options.classifier is not None:
        from napari_mpseg.particles.classes.classifier_files import load_classifier

        classifier = load_classifier(options.classifier)
    found: Any
    if classifier is not None:
        found = classifier.predict(table)
    else:
        from napari_mpseg.particles.classes.rules import classify_by_rules, find_rules

        found = classify_by_rules(table, find_rules(options.rules))
    _write(table, found, options)


def _check(options: argparse.Namespace) -> None:
    """Refuse arguments that do not go together, with exit code 2."""
    if options.train:
        if options.save_classifier is None and options.out is None:
            options.wrong("--train needs --save-classifier FOLDER, or TABLE and --out NEW")
        if options.out is not None and options.table is None:
            options.wrong("--out needs the TABLE to classify")
    else:
        if options.table is None:
            options.wrong("give the TABLE to classify")
        if options.out is None:
            options.wrong("give --out NEW, the table to write")
        if options.save_classifier is not None:
            options.wrong("--save-classifier goes with --train")
    if options.out is None:
        return
    if options.out.suffix.lower() not in _ENDINGS:
        options.wrong(f"--out {options.out} must end in .csv or .parquet")
    if options.out.exists() and not options.overwrite:
        raise StoreError(f"{options.out} is already there. Choose another --out, or give --overwrite.")


def _read(path: Path) -> "ParticleTable":
    """Read a particle table, that of a folder, or the features of a layer that napari's own table saved."""
    import pandas as pd

    from napari_mpseg.commands.tables import read_one_table
    from napari_mpseg.particles.table import ParticleTable

    try:
        return read_one_table(path)
    except StoreError as error:
        if path.suffix.lower() == ".csv" and path.is_file() and "no column 'label'" in str(error):
            frame = pd.read_csv(path)
            if "index" in frame.columns:
                return ParticleTable.from_features(frame.drop(columns="Unnamed: 0", errors="ignore"))
        raise


def _trained(options: argparse.Namespace) -> "TrainedClassifier":
    from napari_mpseg.particles.classes.classifier_files import save_classifier
    from napari_mpseg.particles.classes.models import ClassifierSettings
    from napari_mpseg.particles.classes.trained import train_classifier

    settings = ClassifierSettings(options.model, size=not options.ignore_size, seed=options.seed)
    examples = [_examples(path, options.table) for path in options.train]
    with console_work(options.quiet) as (on_progress, cancel):
        classifier = train_classifier(
            [table for table, _ in examples],
            [mine for _, mine in examples],
            settings,
            on_progress=on_progress,
            cancel=cancel,
        )
    if options.save_classifier is not None:
        path = save_classifier(classifier, options.save_classifier, overwrite=options.overwrite)
        say(f"Classifier {path}")
    _tell(classifier)
    return classifier


def _examples(path: Path, other: Path | None) -> "tuple[ParticleTable, pd.Series]":
    """Return the table to learn from and the classes in it; the measurements of a bare list come from `other`."""
    from napari_mpseg.particles.classes.assigned import assigned_in
    from napari_mpseg.particles.classes.describing import describing_columns

    table = _read(path)
    if "class" not in table.frame.columns:
        raise SettingsError(f"{path} has no column 'class' with your classes. Add one, with a name for some particles.")
    mine = assigned_in(table.frame.set_index("label"))
    if not describing_columns([table.frame]):
        if other is None:
            raise SettingsError(f"{path} holds no measurements. Give the TABLE with the same labels too.")
        table = _read(other)
    return table, mine


def _tell(classifier: "TrainedClassifier") -> None:
    validation = classifier.validation
    told = ", ".join(f"{count} {name}" for name, count in classifier.examples.items())
    say(f"Learnt from {told}; {len(classifier.columns)} columns")
    say(
        f"Accuracy on examples held back ({validation.folds} parts): {100 * validation.accuracy:.0f} %, "
        f"mean over classes {100 * validation.balanced_accuracy:.0f} %"
    )
    say(validation.table.to_string())


def _write(table: "ParticleTable", found: Any, options: argparse.Namespace) -> None:
    from napari_mpseg.particles.classes.assigned import ASSIGNED, assigned_in, merged
    from napari_mpseg.particles.classes.rules import count_by_class

    mine = assigned_in(table.frame)
    if ASSIGNED not in table.frame.columns:
        mine = mine[:0]  # classes of an earlier run, which are replaced
    columns = merged(found, mine)
    classified = table.with_columns(**{str(name): values for name, values in columns.items()})
    if options.out is not None:
        parquet = options.out.suffix.lower() == ".parquet"
        (classified.to_parquet if parquet else classified.to_csv)(options.out)
    say(f"Particles {len(table)}" + (f", {len(mine)} with a class of your own" if len(mine) else ""))
    counts = count_by_class(columns["class"])
    widest = max((len(str(name)) for name in counts.index), default=0)
    for name, count in counts.items():
        say(f"  {name!s:>{widest}}  {count:6d}")
    if options.out is not None:
        say(f"Table     {options.out}")


COMMAND = Command(
    "classify",
    "give each particle a class, by rules or by a trained classifier",
    configure,
    run,
    """\
Give each particle of TABLE a class, by rules (--rules) or by a classifier (--classifier) that
was trained (--train) from particles whose class you gave. Writes TABLE with the columns class,
class_probability and class_assigned. Classes marked as yours in class_assigned stay.""",
)
