"""Errors that mean that memory ran out, whatever library raised them."""

import gc

import torch

_WORDS = ("out of memory", "can't allocate memory", "bad_alloc", "bad allocation", "failed to allocate")


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error means that there was not enough memory, on the device or beside it."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    # PyTorch on the CPU and on MPS, OpenVINO and ONNX Runtime have no type of their own for it
    return isinstance(error, RuntimeError) and any(word in str(error).lower() for word in _WORDS)


def release(device: torch.device) -> None:
    """Give back what is held for later, so that less may do."""
    if device.type == "cpu":
        return
    gc.collect()
    if device.type == "cuda" and torch.cuda.is_available():
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()
