"""Measuring as results and widgets do it: with confidence, class and keep, and with the decisions of before."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from napari_mpseg.calibration import Calibration
from napari_mpseg.errors import SettingsError
from napari_mpseg.inference.schedulers import Scheduler
from napari_mpseg.particles.classes.assigned import ASSIGNED
from napari_mpseg.particles.classes.rules import RULE_SETS, RuleSet, classify_by_rules, find_rules
from napari_mpseg.particles.measure import measure
from napari_mpseg.particles.review.columns import carry_decisions, with_review_columns
from napari_mpseg.particles.table import ParticleTable
from napari_mpseg.progress import CancelToken, ProgressCallback, silent

RULES = "mp-vat"
"""The rule set by which particles are classified until a person says otherwise: the field's own."""


def measure_for_review(
    labels: Any,
    image: Any = None,
    *,
    probability: Any = None,
    calibration: Calibration | None = None,
    properties: str | Sequence[str] | None = None,
    perimeter: str = "imagej",
    rules: RuleSet | str = RULES,
    previous: "pd.DataFrame | None" = None,
    scheduler: str | Scheduler | None = None,
    on_progress: ProgressCallback = silent,
    cancel: CancelToken | None = None,
) -> ParticleTable:
    """Measure every particle, sort them into classes, and keep what was decided about them.

    Parameters
    ----------
    labels, image, probability, calibration, properties, perimeter, scheduler, on_progress, cancel
        As in :func:`~napari_mpseg.particles.measure.measure`.
    rules : RuleSet or str
        Gives the column ``class``. What the default looks at may be left unmeasured: the column is then empty.
    previous : pandas.DataFrame, optional
        The table or features that these labels had before. What was rejected stays rejected, and a class that a person
        or a classifier gave stays: where `class_assigned` or `class_probability` say so, or where no rules would have
        given it (typed into a table, where nobody marks it).

    Returns
    -------
    ParticleTable
        With the columns ``class`` and ``keep``.

    Raises
    ------
    SettingsError
        If other rules than the default look at something that was not measured, or need a pixel size.
    """
    table = measure(
        labels,
        image,
        calibration=calibration,
        properties=properties,
        perimeter=perimeter,
        probability=probability,
        scheduler=scheduler,
        on_progress=on_progress,
        cancel=cancel,
    )
    reviewed = with_review_columns(table, _classes(table.frame, rules))
    reviewed.frame.insert(list(reviewed.frame.columns).index("class") + 1, ASSIGNED, False)
    return reviewed if previous is None else with_decisions(reviewed, previous, rules)


def with_decisions(table: ParticleTable, previous: pd.DataFrame, rules: RuleSet | str = RULES) -> ParticleTable:
    """Return a newly measured table with what was decided on the table or features before it; see `previous` above."""
    return carry_decisions(table, _decided(previous, rules))


def _classes(frame: pd.DataFrame, rules: RuleSet | str) -> "pd.Series[Any] | None":
    try:
        return classify_by_rules(frame, rules)
    except SettingsError:
        if find_rules(rules) != RULE_SETS[RULES]:
            raise
        return None  # nobody asked for classes, nor measured what they need


def _decided(previous: pd.DataFrame, rules: RuleSet | str) -> pd.DataFrame:
    """Return the earlier decisions less the classes that came from rules."""
    number = "index" if "index" in previous else "label"
    if number not in previous or "class" not in previous:
        return previous
    given = previous["class"].astype("object")
    meant = np.zeros(len(previous), bool)
    if ASSIGNED in previous:
        meant |= previous[ASSIGNED].fillna(False).to_numpy(bool)
    if "class_probability" in previous:
        meant |= previous["class_probability"].notna().to_numpy()
    # typed into napari's own table, or a table from elsewhere: what no rules we know of would have said
    meant |= ~_said_by_rules(previous, given, rules)
    return previous.assign(**{"class": given.where(meant, np.nan)})


def _said_by_rules(frame: pd.DataFrame, given: "pd.Series[Any]", rules: RuleSet | str) -> "np.ndarray[Any, Any]":
    known = [RULE_SETS[RULES]] if ASSIGNED not in frame else [*RULE_SETS.values(), find_rules(rules)]
    said = np.zeros(len(frame), bool)
    for each in known:
        try:
            said |= classify_by_rules(frame, each).astype("object").to_numpy() == given.to_numpy()
        except SettingsError:  # it needs what was not measured, and so has not given these classes
            continue
    return said
