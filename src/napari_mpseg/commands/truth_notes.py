"""What commands say where particle and background of a truth seem the wrong way round."""

from napari_mpseg.commands.console import say


def say_if_inverted(share: float, particle_value: int | None) -> None:
    """Print a note if so large a share of the truth's pixels is particle that it is likely to be the background."""
    from napari_mpseg.images.truth_values import inverted_note

    note = inverted_note(share, particle_value)
    if note:
        say(f"Note      {note}")
