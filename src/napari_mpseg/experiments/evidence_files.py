"""Evidence as JSON, so that a protocol that is run again need not predict again."""

import json
from pathlib import Path

from napari_mpseg.errors import SettingsError, StoreError
from napari_mpseg.evaluation.evidence import Evidence
from napari_mpseg.experiments.stored_models import write_text


def save_evidence(evidence: Evidence, place: Path, made_by: str) -> None:
    """Write evidence, finished atomically.

    Parameters
    ----------
    evidence : Evidence
    place : Path
    made_by : str
        A digest of what the prediction was made by.
    """
    write_text(place, json.dumps({"made_by": made_by, "evidence": evidence.to_dict()}))


def load_evidence(place: Path, made_by: str) -> Evidence | None:
    """Read evidence; None where there is none, or it was made by something else.

    Raises
    ------
    StoreError
        If it cannot be read.
    """
    if not place.exists():
        return None
    try:
        plain = json.loads(place.read_text(encoding="utf-8"))
        return Evidence.from_dict(plain["evidence"]) if plain["made_by"] == made_by else None
    except (OSError, ValueError, KeyError, TypeError, SettingsError) as error:
        raise StoreError(f"{place} cannot be read: {error}. Delete it, and it will be made again.") from error
