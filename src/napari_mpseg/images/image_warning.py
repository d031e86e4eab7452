"""Warnings about images that can be opened, but not quite as the file says."""


class ImageWarning(UserWarning):
    """Something in an image file is odd and was left out: an impossible pixel size, further images."""
