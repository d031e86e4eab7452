"""Which device a worker takes."""

import torch

from napari_mpseg.errors import SettingsError


def device_for_worker(device: torch.device, number: int | None) -> torch.device:
    """Return the device for a worker of this machine.

    Parameters
    ----------
    device : torch.device
        What was chosen: with an index (``cuda:1``) it is that one for all workers.
    number : int or None
        Which worker of this machine it is, from 0; None outside workers.

    Returns
    -------
    torch.device
        With several graphics cards, workers take one after the other in turn.

    Raises
    ------
    SettingsError
        If this machine has no such device.
    """
    if device.type != "cuda":
        return device
    index: int | None = device.index
    count = torch.cuda.device_count()
    if (index or 0) >= count:
        raise SettingsError(
            f"The device {str(device)!r} is not on this machine, or its worker cannot see it. Choose device 'cpu', or "
            "workers with a graphics card each."
        )
    if index is not None or number is None:
        return device
    return torch.device("cuda", number % count)
