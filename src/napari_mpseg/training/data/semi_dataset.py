"""Semi-synthetic images as a torch data set, made on the fly."""

import numpy as np
import torch
from torch.utils.data import Dataset

from napari_mpseg.training.data.semi import SemiSynthetic

Item = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


class SemiSyntheticDataset(Dataset[Item]):
    """Gives image, mask and instances of semi-synthetic images.

    Item k is the same in every epoch and worker, unless `endless` is set: then every epoch that :meth:`next_epoch`
    begins has images that were never there before. All images have one size and need no collating of their own.

    Parameters
    ----------
    images : SemiSynthetic
    endless : bool
        Make new images in every epoch.

    Examples
    --------
    ``DataLoader(SemiSyntheticDataset(images), batch_size=4, num_workers=2)`` gives batches ``(N, C, Y, X)``.
    """

    def __init__(self, images: SemiSynthetic, *, endless: bool = False) -> None:
        self.images, self.endless, self.epoch = images, endless, 0

    def __len__(self) -> int:
        """Return the number of images of an epoch."""
        return len(self.images)

    def __getitem__(self, index: int) -> Item:
        """Return image ``(C, Y, X)`` float32 of 0 to 1, mask ``(1, Y, X)`` float32, instances ``(Y, X)`` int64."""
        if not -len(self) <= index < len(self):
            raise IndexError(f"image {index} of {len(self)}")
        made = self.images.composition(index % len(self) + self.epoch * len(self))
        pixels = np.ascontiguousarray(made.image.transpose(2, 0, 1))
        image = torch.from_numpy(pixels).float().div_(255)
        mask = torch.from_numpy(made.mask[None].astype(np.float32))
        return image, mask, torch.from_numpy(made.instances.astype(np.int64))

    def next_epoch(self) -> None:
        """Begin an epoch; of data loaders with persistent workers, only after they were made anew."""
        self.epoch += int(self.endless)
