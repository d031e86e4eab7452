"""A training run on disk, to go on after a kill: tensors as safetensors, all else as JSON; nothing is ever executed.

A run that is continued from a checkpoint ends, on the CPU, with bit for bit the weights of one that was never stopped.
"""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from napari_mpseg.errors import ModelError, SettingsError, StoreError
from napari_mpseg.files import finished_at
from napari_mpseg.settings import from_dict, to_dict
from napari_mpseg.training.run.loop import EpochRecord, Training
from napari_mpseg.training.run.validation import Validation
from napari_mpseg.training.settings import TrainSettings

TENSORS, STATE = "tensors.safetensors", "state.json"
FORMAT = 1


def save_checkpoint(training: Training, folder: Path, data: Mapping[str, Any]) -> None:
    """Write a checkpoint between two epochs; replaces an older one in one step.

    Parameters
    ----------
    training : Training
    folder : Path
        Where; made, or replaced.
    data : mapping
        What the run learns from (names and digests), as plain JSON values; a run on other data is not continued.

    Raises
    ------
    StoreError
        If the place cannot be written, or holds something else.
    """
    from safetensors.torch import save_file

    check_place(folder)
    optimiser = training.optimiser.state_dict()
    tensors = _prefixed("network", training.network.state_dict())
    tensors |= _prefixed("best", training.best_weights)
    if training.average is not None:
        tensors |= _prefixed("average", training.average.values)
    for index, values in optimiser["state"].items():
        tensors |= _prefixed(f"optimiser.{index}", {k: v for k, v in values.items() if isinstance(v, torch.Tensor)})
    tensors["random.cpu"] = torch.get_rng_state()
    state = {
        "format": FORMAT,
        "settings": to_dict(training.settings),
        "data": dict(data),
        "step": training.step,
        "best": training.best,
        "average_steps": training.average.steps if training.average is not None else 0,
        "history": [dataclasses.asdict(record) for record in training.history],
        "sampler": dict(training.sampler.state()),
        "groups": [{k: v for k, v in group.items() if k != "params"} for group in optimiser["param_groups"]],
        "schedule": training.schedule.last_epoch,
    }
    with finished_at(folder, overwrite=True) as part:
        part.mkdir(parents=True)
        save_file({name: value.contiguous() for name, value in tensors.items()}, part / TENSORS)
        (part / STATE).write_text(json.dumps(state) + "\n", encoding="utf-8")


def check_place(folder: Path) -> None:
    """Raise StoreError where something lies that is no checkpoint: it would be replaced."""
    if folder.is_dir() and not (folder / STATE).exists() and any(folder.iterdir()):
        raise StoreError(
            f"{folder} holds files that are no checkpoint, and saving one would replace them. "
            "Give the checkpoint a folder of its own."
        )


def read_checkpoint(folder: Path) -> dict[str, Any] | None:
    """Return the state of a checkpoint without its tensors; None where there is none.

    Raises
    ------
    ModelError
        If there is one that cannot be read.
    """
    if not (folder / STATE).exists():
        return None
    try:
        state = json.loads((folder / STATE).read_text(encoding="utf-8"))
        if state["format"] != FORMAT:
            raise ValueError("it was made by another version")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"The checkpoint {folder} cannot be read: {error}. Delete it to start again.") from error
    return dict(state)


def restore_checkpoint(training: Training, folder: Path, data: Mapping[str, Any]) -> bool:
    """Bring a fresh run to where a checkpoint was written; return False where there is none.

    Raises
    ------
    SettingsError
        If the checkpoint was made with other settings or data; the difference is named.
    ModelError
        If it is damaged or of another network.
    StoreError
        If the folder holds something else.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    check_place(folder)
    state = read_checkpoint(folder)
    if state is None:
        return False
    here = {"settings": to_dict(training.settings), "data": dict(data)}
    # settings that came later than the checkpoint have their defaults there
    there = {"settings": to_dict(from_dict(TrainSettings, state["settings"])), "data": state["data"]}
    different = _differences(json.loads(json.dumps(here)), json.loads(json.dumps(there)))
    if different:
        raise SettingsError(
            f"The checkpoint {folder} was made with other {'; '.join(different)}. "
            "Train with those, choose another folder, or delete the checkpoint to start again."
        )
    try:
        tensors = load_file(folder / TENSORS)
        _fill(training, state, tensors)
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise ModelError(f"The checkpoint {folder} is damaged: {error}. Delete it to start again.") from error
    return True


def _fill(training: Training, state: Mapping[str, Any], tensors: Mapping[str, torch.Tensor]) -> None:
    training.network.load_state_dict(_under("network", tensors))
    training.best_weights = _on(_under("best", tensors), training.device)
    if training.average is not None:
        training.average.values = _on(_under("average", tensors), training.device)
        training.average.steps = int(state["average_steps"])
    optimiser = training.optimiser.state_dict()
    slots: dict[int, Any] = {}
    for name, value in _under("optimiser", tensors).items():
        index, key = name.split(".", 1)
        slots.setdefault(int(index), {})[key] = value
    groups = [
        {**saved, "params": fresh["params"]}
        for saved, fresh in zip(state["groups"], optimiser["param_groups"], strict=True)
    ]
    for group in groups:
        if isinstance(group.get("betas"), list):
            group["betas"] = tuple(group["betas"])
    training.optimiser.load_state_dict({"state": slots, "param_groups": groups})
    training.schedule.last_epoch = int(state["schedule"])
    training.schedule._step_count = int(state["schedule"]) + 1
    training.sampler.restore(state["sampler"])
    training.history = [_record(values) for values in state["history"]]
    training.step, training.best = int(state["step"]), state["best"]
    training.random_state = tensors["random.cpu"]


def _record(values: Mapping[str, Any]) -> EpochRecord:
    seen = values["validation"]
    return EpochRecord(**{**values, "validation": Validation(**seen) if seen else None})


def _prefixed(prefix: str, tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    # a copy: safetensors refuses tensors that share memory
    return {f"{prefix}.{name}": value.detach().cpu().clone() for name, value in tensors.items()}


def _under(prefix: str, tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name[len(prefix) + 1 :]: value for name, value in tensors.items() if name.startswith(f"{prefix}.")}


def _on(tensors: Mapping[str, torch.Tensor], device: torch.device) -> dict[str, torch.Tensor]:
    return {name: value.to(device) for name, value in tensors.items()}


def _differences(here: Any, there: Any, path: str = "") -> list[str]:
    """Return what differs between two JSON values, by path."""
    if isinstance(here, dict) and isinstance(there, dict):
        keys = sorted({*here, *there})
        return [
            text for key in keys for text in _differences(here.get(key), there.get(key), f"{path}.{key}".lstrip("."))
        ]
    return [] if here == there else [f"{path} ({there!r} there, {here!r} here)"]
