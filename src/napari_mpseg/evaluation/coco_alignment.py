"""A COCO file of predictions brought to the images and categories of the truth."""

from dataclasses import replace
from typing import Any

from napari_mpseg.coco.document import CocoDocument, CocoImage
from napari_mpseg.coco.files import sized
from napari_mpseg.coco.masks import told
from napari_mpseg.errors import ImageError


def aligned(predicted: CocoDocument, truth: CocoDocument) -> CocoDocument:
    """Return the prediction with ids of images and categories as the truth has them, found by name.

    Raises
    ------
    ImageError
        If it has an image or a category that the truth has not, or an image of another size.
    """
    if predicted.images is truth.images:
        return predicted
    annotations: dict[int, tuple[dict[str, Any], ...]] = {}
    owners: dict[int, str] = {}
    for image in predicted.images:
        found = _counterpart(image, predicted, truth)
        if found.id in owners:
            raise ImageError(
                f"{owners[found.id]} and {image.file_name} of {predicted.told} are both found as {found.file_name} of "
                f"{truth.told}. Images of both files need the same names."
            )
        owners[found.id] = image.file_name
        _check_size(image, predicted, found, truth)
        annotations[found.id] = tuple(
            one | {"category_id": _by_name(one, image, predicted, truth)} for one in predicted.annotations[image.id]
        )
    every = {image.id: annotations.get(image.id, ()) for image in truth.images}
    return replace(predicted, images=truth.images, categories=truth.categories, annotations=every)


def by_category(
    document: CocoDocument, truth: CocoDocument, image: CocoImage
) -> dict[int | None, list[dict[str, Any]]]:
    """Return the annotations of an image by category.

    One without a category is of the only one of the truth; without categories all are of None.

    Raises
    ------
    ImageError
        If an annotation has no category where the truth has several.
    """
    found: dict[int | None, list[dict[str, Any]]] = {}
    for one in document.annotations[image.id]:
        number = one.get("category_id")
        if not truth.categories:
            category = None
        elif number is None:
            category = _only(one, image, document, truth)
        else:
            category = int(number)
        found.setdefault(category, []).append(one)
    return found


def category_names(truth: CocoDocument) -> dict[int | None, str]:
    """Return what each category is called in tables: by its name, and its id too where several have that name."""
    if not truth.categories:
        return {None: "particle"}
    names = list(truth.categories.values())
    return {
        number: name if names.count(name) == 1 else f"{name} ({number})" for number, name in truth.categories.items()
    }


def _counterpart(image: CocoImage, predicted: CocoDocument, truth: CocoDocument) -> CocoImage:
    same = [one for one in truth.images if (one.file_name, one.plane) == (image.file_name, image.plane)]
    found = same or [one for one in truth.images if one.name == image.name]
    if not found:
        raise ImageError(f"{predicted.told} has the image {image.file_name}, and {truth.told} has not.")
    if len(found) > 1:
        names = ", ".join(one.file_name for one in found[:3])
        raise ImageError(
            f"{image.file_name} of {predicted.told} may be {len(found)} images of {truth.told}: {names}. Give images "
            "the same file_name, folder included, in both files."
        )
    return found[0]


def _check_size(image: CocoImage, predicted: CocoDocument, found: CocoImage, truth: CocoDocument) -> None:
    if not predicted.annotations[image.id] or image.height is None:
        return  # run lengths tell their size themselves
    whole = sized(truth, found)
    if (image.height, image.width) != (whole.height, whole.width):
        raise ImageError(
            f"{image.file_name} has {image.width} x {image.height} px in {predicted.told}, and {found.file_name} "
            f"{whole.width} x {whole.height} px in {truth.told}. Predict on the image in the size of its truth."
        )


def _by_name(one: dict[str, Any], image: CocoImage, predicted: CocoDocument, truth: CocoDocument) -> int | None:
    """Return the category of the truth that has the name of the annotation's own; None where it has none."""
    number = one.get("category_id")
    name = None if number is None else predicted.categories.get(int(number))
    if name is None or not truth.categories:
        return None
    found = [other for other, called in truth.categories.items() if called == name]
    if not found:
        raise ImageError(
            f"{predicted.told} has the category {name!r}, and {truth.told} has only "
            f"{', '.join(truth.categories.values())}."
        )
    if len(found) == 1:
        return found[0]
    if number in found:
        return int(number or 0)
    raise ImageError(
        f"{told(one)} of {image.file_name} in {predicted.told} is of category {name!r}, and {truth.told} has "
        f"{len(found)} of that name. Give them names of their own."
    )


def _only(one: dict[str, Any], image: CocoImage, document: CocoDocument, truth: CocoDocument) -> int:
    if len(truth.categories) > 1:
        names = ", ".join(list(truth.categories.values())[:5])
        raise ImageError(
            f"{told(one)} of {image.file_name} in {document.told} has no category, and {truth.told} has "
            f"{len(truth.categories)}: {names}. Write a category into each annotation."
        )
    return next(iter(truth.categories))
