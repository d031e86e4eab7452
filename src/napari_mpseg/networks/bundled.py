"""The network that comes with the package."""

from importlib import resources

from napari_mpseg.networks.modelfile import Model, ModelCard, load_card, load_model

BUNDLED = "half-multiresunet-nile-red"


def bundled_model() -> Model:
    """Return the bundled network with its weights and card."""
    with resources.as_file(resources.files("napari_mpseg") / "models" / BUNDLED) as folder:
        return load_model(folder)


def bundled_card() -> ModelCard:
    """Return the card of the bundled network."""
    with resources.as_file(resources.files("napari_mpseg") / "models" / BUNDLED) as folder:
        return load_card(folder)
