"""Which device runs the network."""

from typing import TYPE_CHECKING

from napari_mpseg.errors import SettingsError

if TYPE_CHECKING:
    import torch

DEVICES = ("auto", "cpu", "cuda", "mps")


def choose_device(name: str = "auto") -> "torch.device":
    """Return the torch device of a name; ``"auto"`` takes CUDA, then Apple's MPS, then the CPU.

    Raises
    ------
    SettingsError
        If the device is not on this machine.
    """
    import torch

    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return torch.device(next(kind for kind in ("cuda", "mps", "cpu") if available[kind]))
    kind = name.split(":")[0]
    if kind not in available:
        raise SettingsError(f"Device {name!r} is unknown. Choose one of {', '.join(DEVICES)}.")
    if not available[kind]:
        raise SettingsError(f"Device {name!r} is not on this machine. Choose 'auto' or 'cpu'.")
    return torch.device(name)
