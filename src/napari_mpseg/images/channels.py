"""Choosing channels, and fitting an image to the number of channels a network was made for."""

from collections.abc import Sequence
from dataclasses import replace

from napari_mpseg.errors import ImageError
from napari_mpseg.images.axes import RGB
from napari_mpseg.images.image import Image

ChannelChoice = str | int | Sequence[str | int] | None


def pick_channels(image: Image, channels: ChannelChoice) -> Image:
    """Return the image with some of its channels, in the order asked for.

    Parameters
    ----------
    image : Image
        ``(Y, X)`` or ``(Y, X, C)``.
    channels : str, int, sequence of them, or None
        Names (upper and lower case alike) or numbers counted from 0; a string of digits that is no name counts as a
        number. None keeps all.

    Returns
    -------
    Image
        ``(Y, X)`` for a single choice or a sequence of one, else ``(Y, X, C)``. Still lazy.

    Raises
    ------
    ImageError
        If a channel is not there, or none was chosen.
    """
    if channels is None:
        return image
    wanted = [channels] if isinstance(channels, (str, int)) else list(channels)
    if not wanted:
        raise ImageError(f"No channel was chosen. {_there(image)}")
    indices = [_index(image, channel) for channel in wanted]
    if image.data.ndim == 2:
        return (
            image
            if len(indices) == 1
            else replace(image, data=_repeated(image, len(indices)), channels=_named(image, indices))
        )
    if len(indices) == 1:
        return replace(image, data=image.data[:, :, indices[0]], channels=())
    return replace(image, data=image.data[:, :, indices], channels=_named(image, indices))


def match_channels(image: Image, expected: int) -> Image:
    """Return the image with as many channels as a network expects.

    The same number stays; grey is repeated, lazily, for a colour network; the transparency of RGBA is left out.

    Parameters
    ----------
    image : Image
        ``(Y, X)`` or ``(Y, X, C)``.
    expected : int
        Number of channels of the network's input.

    Returns
    -------
    Image
        ``(Y, X)`` for one channel, else ``(Y, X, C)``.

    Raises
    ------
    ImageError
        If they do not fit.
    """
    if image.n_channels == expected:
        return pick_channels(image, 0) if expected == 1 else image
    if image.n_channels == 1 and expected == 3:
        grey = pick_channels(image, 0)
        return replace(grey, data=_repeated(grey, expected), channels=RGB)
    if expected == 3 and _is_rgba(image):
        return replace(image, data=image.data[:, :, :3], channels=RGB)
    raise ImageError(
        f"{image.name} has {image.n_channels} channel{'' if image.n_channels == 1 else 's'}, but {expected} "
        f"{'is' if expected == 1 else 'are'} expected. {_there(image)} Choose {expected} by name or number, for "
        f"example channels={'0' if expected == 1 else list(range(min(expected, image.n_channels)))!s}."
    )


def _is_rgba(image: Image) -> bool:
    names = tuple(name.lower() for name in image.channels)
    return image.n_channels == 4 and (names[:3] == RGB or (not names and image.dtype == "uint8"))


def _index(image: Image, channel: str | int) -> int:
    names = [name.lower() for name in image.channels]
    if isinstance(channel, str):
        same = [index for index, name in enumerate(names) if name == channel.strip().lower()]
        if len(same) > 1:
            raise ImageError(
                f"Several channels of {image.name} are called {channel!r}. Choose by number. {_there(image)}"
            )
        if same:
            return same[0]
        if not channel.strip().isdecimal():
            raise ImageError(f"{image.name} has no channel {channel!r}. {_there(image)}")
    number = int(channel)
    if not 0 <= number < image.n_channels:
        raise ImageError(f"{image.name} has no channel number {number}. {_there(image)}")
    return number


def _there(image: Image) -> str:
    if image.data.ndim == 2:
        return "It has a single channel, number 0."
    names = image.channels or tuple(f"channel {index}" for index in range(image.n_channels))
    return f"Its channels are {', '.join(f'{index}: {name}' for index, name in enumerate(names))}."


def _named(image: Image, indices: list[int]) -> tuple[str, ...]:
    return tuple(image.channels[index] if image.channels else f"channel {index}" for index in indices)


def _repeated(image: Image, count: int) -> object:
    import dask.array as da

    return da.stack([image.data] * count, axis=-1)
