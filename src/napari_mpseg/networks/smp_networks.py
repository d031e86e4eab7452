"""Every decoder of segmentation-models-pytorch, with any encoder of that library."""

import difflib
import inspect
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from napari_mpseg.errors import ModelError
from napari_mpseg.networks.downloads import fetching, require_reachable
from napari_mpseg.networks.library import LibraryNetwork
from napari_mpseg.networks.triton_guard import load_compiler_without_triton

_OURS = {"encoder_name", "encoder_weights", "in_channels", "classes", "activation", "aux_params"}
_TIMM = "tu-"


@dataclass(frozen=True)
class _Decoder:
    """What must be known of a decoder beside its class."""

    encoder: str = "resnet34"
    stride: int = 1  # in output strides of the encoder
    smallest: int = 1  # side of the smallest image, in output strides of the encoder


_DECODERS = {
    "PAN": _Decoder(smallest=8),  # it halves the deepest map three times
    "DPT": _Decoder(encoder="tu-vit_small_patch16_224", stride=2),  # its deepest map is half the encoder's
}


def build(
    decoder: str,
    in_channels: int = 3,
    encoder: str | None = None,
    weights: str | None = None,
    outputs: int = 1,
    **options: Any,
) -> LibraryNetwork:
    """Build a network of segmentation-models-pytorch.

    Parameters
    ----------
    decoder : str
        Class of the library: ``"Unet"``.
    in_channels : int
        Channels of the input.
    encoder : str, optional
        Encoder of the library, default ``"resnet34"`` (for DPT, which needs a vision transformer,
        ``"tu-vit_small_patch16_224"``).
    weights : str or None
        Trained weights of the encoder: ``"imagenet"``, or another of the encoder's own choices such as ``"ssl"``. None:
        random.
    outputs : int
        Logits per pixel; the first is that of particle.
    **options : Any
        Further arguments of the decoder's class, such as ``decoder_attention_type="scse"`` or ``encoder_depth=4``.

    Raises
    ------
    ModelError
        If a name is unknown, the library cannot combine them, or the weights cannot be fetched.
    """
    load_compiler_without_triton()
    import segmentation_models_pytorch as smp

    kind = getattr(smp, decoder)
    known = _DECODERS.get(decoder, _Decoder())
    encoder = encoder or default_encoder(decoder)
    _check(kind, encoder, options)
    if decoder == "DPT":
        options["dynamic_img_size"] = True
    given = {"encoder_name": encoder, "in_channels": in_channels, "classes": outputs, **options}
    if weights is None:
        network = _combined(kind, encoder_weights=None, **given)
    else:
        network = _with_weights(kind, encoder, weights, given)
    reduction = int(network.encoder.output_stride)  # type: ignore[union-attr, arg-type]
    wrapped = LibraryNetwork(network, in_channels, known.stride * reduction, known.smallest * reduction)
    if weights is not None:
        wrapped.expect(*_normalisation(encoder, weights))
    _try_out(wrapped, in_channels, f"{decoder} with encoder {encoder!r}")
    return wrapped


def default_encoder(decoder: str) -> str:
    """Return the encoder that a decoder's class takes if none is chosen."""
    return _DECODERS.get(decoder, _Decoder()).encoder


def encoder_names() -> list[str]:
    """Return the library's own encoders; those of timm, ``tu-`` and a name of timm, come on top of them."""
    load_compiler_without_triton()
    from segmentation_models_pytorch.encoders import get_encoder_names

    return list(get_encoder_names())


def _check(kind: Any, encoder: Any, options: dict[str, Any]) -> None:
    """Refuse names the library does not know; it would pass over unknown options without a word."""
    import timm

    if not isinstance(encoder, str):
        raise ModelError(f"An encoder is chosen by its name, not by {encoder!r}.")
    names = encoder_names()
    if not (encoder in names or (encoder.startswith(_TIMM) and timm.is_model(encoder.removeprefix(_TIMM)))):
        every = [*names, *(_TIMM + name for name in timm.list_models())]
        near = difflib.get_close_matches(encoder, every, n=3)
        hint = f"Did you mean {', '.join(map(repr, near))}? " if near else ""
        raise ModelError(
            f"No encoder is called {encoder!r}. {hint}'napari-mpseg networks --name smp-{kind.__name__.lower()}' lists "
            "them."
        )
    parameters = inspect.signature(kind).parameters.values()
    choices = {item.name for item in parameters if item.kind is not inspect.Parameter.VAR_KEYWORD} - _OURS
    unknown = sorted(set(options) - choices)
    if unknown:
        raise ModelError(
            f"{kind.__name__} has no option {', '.join(map(repr, unknown))}. It has: encoder, weights, "
            f"{', '.join(sorted(choices))}."
        )


def _combined(kind: Any, **given: Any) -> nn.Module:
    try:
        network: nn.Module = kind(**given)
    except (ValueError, KeyError, TypeError, RuntimeError, NotImplementedError, AssertionError) as error:
        told = error.args[0] if error.args else type(error).__name__
        raise ModelError(
            f"segmentation-models-pytorch cannot build {kind.__name__} with encoder {given['encoder_name']!r}: {told}"
        ) from error
    return network


def _try_out(network: LibraryNetwork, in_channels: int, name: str) -> None:
    """Refuse what can be built but not used: an encoder for images of one size, an option that changes the size."""
    image = torch.zeros(1, in_channels, network.stride, 2 * network.stride)
    network.eval()
    try:
        with torch.no_grad():
            found = tuple(network(image).shape[2:])
    except (ValueError, RuntimeError, AssertionError, IndexError) as error:
        raise ModelError(f"{name} cannot work on images of any size: {error}") from error
    finally:
        network.train()
    if found != tuple(image.shape[2:]):
        sizes = [" x ".join(map(str, size)) for size in (found, tuple(image.shape[2:]))]
        raise ModelError(f"{name} gives {sizes[0]} px for {sizes[1]} px with these options; choose others.")


def _with_weights(kind: Any, encoder: str, weights: str, given: dict[str, Any]) -> nn.Module:
    """Build the network with the encoder's trained weights, from the hub's cache or fetched."""
    from huggingface_hub import constants, try_to_load_from_cache

    repository, revision, choice = _repository(encoder, weights)
    folder = Path(constants.HF_HUB_CACHE)
    name = f"models--{repository.replace('/', '--')}"
    with fetching(f"weights {weights!r} of encoder {encoder}", f"copy the folder {name} into {folder}"):
        if not isinstance(try_to_load_from_cache(repository, "model.safetensors", folder, revision), str):
            require_reachable(constants.ENDPOINT)
        return _combined(kind, encoder_weights=choice, **given)


def _repository(encoder: str, weights: str) -> tuple[str, str | None, str | bool]:
    """Return the hub's repository and revision, and the library's own name of the weights."""
    if encoder.startswith(_TIMM):
        from timm.models import get_pretrained_cfg

        settings = get_pretrained_cfg(encoder.removeprefix(_TIMM))
        if settings is None or not settings.hf_hub_id or weights != "imagenet":
            raise ModelError(f"Encoder {encoder!r} has no weights {weights!r}. Start without (weights: none).")
        return settings.hf_hub_id, None, True
    from segmentation_models_pytorch.encoders import encoders

    choices = encoders[encoder]["pretrained_settings"]
    if weights not in choices:
        raise ModelError(f"Encoder {encoder!r} has no weights {weights!r}. It has: {', '.join(choices)}.")
    return choices[weights]["repo_id"], choices[weights]["revision"], weights


def _normalisation(encoder: str, weights: str) -> tuple[list[float], list[float]]:
    """Return mean and standard deviation per channel for values 0 to 1."""
    from segmentation_models_pytorch.encoders import get_preprocessing_params

    settings = get_preprocessing_params(encoder, weights)
    brightest = settings["input_range"][-1]
    return [value / brightest for value in settings["mean"]], [value / brightest for value in settings["std"]]
