"""The number format of a training run."""

import torch


def use_bf16(choice: str, device: torch.device) -> bool:
    """Return whether to compute in bfloat16: as chosen, or with ``"auto"`` where the device has it in hardware."""
    if choice != "auto":
        return choice == "bf16"
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    if device.type == "cpu":
        # a private question, so it may be gone in another version of torch: then stay with fp32
        ask = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
        return bool(ask()) if ask is not None else False
    return False
