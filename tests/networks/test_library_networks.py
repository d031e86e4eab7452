"""Networks of other libraries: all decoders, any encoder, any channels, trained weights from the libraries' caches."""

import errno
import hashlib
import json
import socket
import ssl
import urllib.error
import urllib.request

import pytest
import torch
from safetensors.torch import save_file

from napari_mpseg.errors import ModelError
from napari_mpseg.networks import downloads
from napari_mpseg.networks.modelfile import Model, ModelCard, load_model, save_model
from napari_mpseg.networks.registry import NETWORKS
from napari_mpseg.networks.triton_guard import load_compiler_without_triton

load_compiler_without_triton()
import segmentation_models_pytorch as smp  # noqa: E402
import torchvision  # noqa: E402
from torchvision.models import ResNet101_Weights, get_model_weights  # noqa: E402

MEAN, STD = (0.5, 0.4, 0.3), (0.2, 0.25, 0.3)


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """Fail at once, as on a computer without a network, whatever tries to reach one."""

    def refuse(*_, **__):
        raise urllib.error.URLError(socket.gaierror(-2, "Name or service not known"))

    monkeypatch.setattr(urllib.request, "urlopen", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture
def hub_cache(tmp_path, monkeypatch):
    """Keep the caches of both hubs in a folder of the test's own."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hf"))
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "torch"))
    return tmp_path


@pytest.fixture
def encoder_in_cache(hub_cache):
    """Put a ResNet-18 of random weights where ImageNet's would lie, and return it."""

    def put(mean=MEAN, std=STD):
        torch.manual_seed(8)
        encoder = smp.encoders.get_encoder("resnet18", weights=None)
        settings = smp.encoders.encoders["resnet18"]["pretrained_settings"]["imagenet"]
        folder = (
            hub_cache / "hf" / f"models--{settings['repo_id'].replace('/', '--')}" / "snapshots" / settings["revision"]
        )
        folder.mkdir(parents=True)
        save_file(encoder.state_dict(), folder / "model.safetensors")
        (folder / "config.json").write_text(json.dumps({"mean": mean, "std": std, "input_range": [0, 1]}))
        return encoder.eval()

    return put


@pytest.fixture
def in_torch_cache(hub_cache, monkeypatch):
    """Put weights into torch's cache under the hash they have, and let `source` point to them."""

    def put(state, source):
        folder = hub_cache / "torch" / "checkpoints"
        folder.mkdir(parents=True)
        torch.save(state, folder / "made")
        digest = hashlib.sha256((folder / "made").read_bytes()).hexdigest()
        file = (folder / "made").rename(folder / f"made-{digest[:8]}.pth")
        monkeypatch.setattr(source.value, "url", f"https://example.org/{file.name}")
        return file

    return put


def test_every_decoder_of_the_library_is_registered():
    found = {name.removeprefix("smp-") for name in NETWORKS if name.startswith("smp-")}
    assert found == set(smp.MODEL_ARCHITECTURES_MAPPING)


@pytest.mark.parametrize(
    "encoder", ["mobilenet_v2", "efficientnet-b0", "vgg11_bn", "densenet121", "mit_b0", "tu-resnet10t"]
)
def test_encoders_of_every_family(encoder):
    network = NETWORKS["smp-unet"].build(2, encoder=encoder).eval()
    with torch.inference_mode():
        assert network(torch.rand(1, 2, 64, 32)).shape == (1, 1, 64, 32)


def test_the_network_is_the_librarys_own():
    torch.manual_seed(1)
    ours = NETWORKS["smp-unet"].build(3, encoder="resnet18", decoder_attention_type="scse").eval()
    theirs = smp.Unet("resnet18", encoder_weights=None, decoder_attention_type="scse").eval()
    theirs.load_state_dict(ours.network.state_dict())
    image = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        assert torch.equal(ours(image), theirs(image))


def test_small_images_are_continued_by_their_edge():
    network = NETWORKS["smp-pan"].build(1, encoder="resnet18").eval()
    image = torch.rand(1, 1, 32, 48)
    large = torch.nn.functional.pad(image, (0, 80, 0, 96), mode="replicate")
    with torch.inference_mode():
        assert torch.equal(network(image), network(large)[..., :32, :48])


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("smp-unet", {"encoder": "resnet33"}, r"No encoder is called 'resnet33'. Did you mean 'resnet34'"),
        ("smp-unet", {"encoder": "tu-resnet33s"}, r"Did you mean 'tu-resnet33ts'"),
        ("smp-unet", {"encoder": 3}, "by its name, not by 3"),
        ("smp-unet", {"weights": "coco"}, "no weights 'coco'. It has: imagenet"),
        ("smp-unet", {"encoder": "tu-cs3darknet_s", "weights": "imagenet"}, "no weights 'imagenet'"),
        ("smp-unet", {"colour": 1}, "Unet has no option 'colour'. It has: encoder, weights, decoder_attention_type"),
        ("smp-unet", {"encoder_depth": 4}, "Model depth is 4"),
        ("smp-unetplusplus", {"encoder": "mit_b0"}, "cannot build UnetPlusPlus with encoder 'mit_b0'"),
        ("smp-deeplabv3", {"encoder": "vgg11"}, "do not support dilated mode"),
        ("smp-unet", {"encoder": "tu-swin_tiny_patch4_window7_224"}, "cannot work on images of any size"),
        ("smp-pspnet", {"encoder_depth": 4}, "gives 8 x 16 px for 16 x 32 px"),
        ("fcn_resnet101", {"weights": "voc"}, "no weights 'voc'. Choose 'coco', 'imagenet' or none"),
        ("fcn_resnet101", {"encoder": "resnet18"}, "encoder"),
    ],
)
def test_wrong_choices_are_explained(name, options, message):
    with pytest.raises(ModelError, match=message):
        NETWORKS[name].build(3, **options)


def test_trained_encoder_comes_from_the_cache_with_its_normalisation(encoder_in_cache):
    encoder = encoder_in_cache()
    network = NETWORKS["smp-unet"].build(3, encoder="resnet18", weights="imagenet").eval()
    image = torch.rand(1, 3, 64, 64)
    normalised = (image - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)
    seen = []
    network.network.encoder.register_forward_hook(lambda module, inputs, features: seen.extend(features))
    with torch.inference_mode():
        network(image)
        expected = encoder(normalised)
    assert len(seen) == len(expected) == 6
    for found, wanted in zip(seen, expected, strict=True):
        torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-5)


def test_a_grey_image_is_to_trained_weights_what_its_copy_in_three_channels_is(encoder_in_cache):
    encoder_in_cache((0.4, 0.4, 0.4), (0.2, 0.2, 0.2))
    grey, colour = (
        NETWORKS["smp-fpn"].build(channels, encoder="resnet18", weights="imagenet").eval() for channels in (1, 3)
    )
    image = torch.rand(1, 1, 64, 64)
    with torch.inference_mode():
        first, second = (
            network.network.encoder((x - network.mean) / network.std)[-1]
            for network, x in ((grey, image), (colour, image.expand(1, 3, 64, 64)))
        )
    torch.testing.assert_close(first, second, atol=1e-5, rtol=1e-4)


def test_a_network_from_trained_weights_is_saved_and_loaded_without_them(encoder_in_cache, hub_cache, tmp_path):
    encoder_in_cache()
    options = {"encoder": "resnet18", "weights": "imagenet"}
    network = NETWORKS["smp-linknet"].build(4, **options).eval()
    folder = save_model(Model(network, ModelCard("m", "smp-linknet", options=options, in_channels=4)), tmp_path / "m")
    (hub_cache / "hf").rename(hub_cache / "gone")
    loaded = load_model(folder)
    image = torch.rand(1, 4, 64, 64)
    with torch.inference_mode():
        assert torch.equal(network(image), loaded.network(image))
    # channels beyond the third take red's, green's and blue's values in turn
    assert loaded.network.mean.flatten().tolist() == pytest.approx([*MEAN, MEAN[0]])
    assert loaded.network.std.flatten().tolist() == pytest.approx([*STD, STD[0]])
    assert loaded.card.options == options


def test_without_trained_weights_values_go_in_as_they_are():
    network = NETWORKS["smp-unet"].build(2, encoder="resnet18")
    assert network.mean.eq(0).all()
    assert network.std.eq(1).all()
    assert not network.mean.requires_grad
    assert {"mean", "std"} <= set(network.state_dict())


def test_coco_weights_come_from_the_cache_but_for_the_last_layer(in_torch_cache):
    torch.manual_seed(3)
    theirs = torchvision.models.segmentation.fcn_resnet101(weights=None, weights_backbone=None, aux_loss=True).eval()
    file = in_torch_cache(theirs.state_dict(), get_model_weights("fcn_resnet101").COCO_WITH_VOC_LABELS_V1)
    network = NETWORKS["fcn_resnet101"].build(3, weights="coco").eval()
    image = torch.rand(1, 3, 32, 32)
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # as torchvision documents
    normalised = (image - torch.tensor(mean).view(3, 1, 1)) / torch.tensor(std).view(3, 1, 1)
    with torch.inference_mode():
        expected = torch.nn.Sequential(*list(theirs.classifier)[:4])(theirs.backbone(normalised)["out"])
        seen = []
        network.network.classifier[3].register_forward_hook(lambda module, inputs, output: seen.append(output))
        assert network(image).shape == (1, 1, 32, 32)
    torch.testing.assert_close(seen[0], expected, atol=1e-5, rtol=1e-5)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(ModelError, match=r"damaged or another file .* Delete it"):
        NETWORKS["fcn_resnet101"].build(3, weights="coco")


def test_imagenet_weights_reach_the_encoder_of_any_channels(in_torch_cache):
    theirs = torchvision.models.resnet101(weights=None)
    in_torch_cache(theirs.state_dict(), ResNet101_Weights.IMAGENET1K_V1)
    network = NETWORKS["deeplabv3_resnet101"].build(4, weights="imagenet")
    backbone = network.network.backbone
    assert torch.equal(backbone["layer4"][2].conv3.weight, theirs.layer4[2].conv3.weight)
    kernels = theirs.conv1.weight[:, [0, 1, 2, 0]] * 3 / 4
    assert torch.equal(backbone["conv1"].weight, kernels)
    assert network.mean.flatten().tolist() == pytest.approx([0.485, 0.456, 0.406, 0.485])


@pytest.mark.parametrize(
    ("name", "options", "copy"),
    [
        ("smp-unet", {"weights": "imagenet"}, r"the folder models--smp-hub--resnet34.imagenet into .*hf"),
        ("smp-fpn", {"encoder": "tu-resnet10t", "weights": "imagenet"}, r"the folder models--timm--resnet10t"),
        ("fcn_resnet101", {"weights": "coco"}, r"the file fcn_resnet101_coco-\w+.pth into .*torch.checkpoints"),
        ("deeplabv3_resnet101", {"weights": "imagenet"}, r"the file resnet101-\w+.pth into .*torch.checkpoints"),
    ],
)
def test_offline_is_told_with_the_ways_out(hub_cache, name, options, copy):
    with pytest.raises(ModelError, match=copy) as caught:
        NETWORKS[name].build(3, **options)
    told = str(caught.value)
    assert "seems to be offline (Name or service not known)" in told.replace("[Errno -2] ", "")
    assert "once while online" in told
    assert "weights: none" in told
    assert "--set network_options.weights=None" in told
    NETWORKS[name].build(3, pretrained=False, **options)


def test_a_download_that_breaks_off_is_told(hub_cache, monkeypatch):
    monkeypatch.setattr("napari_mpseg.networks.smp_networks.require_reachable", lambda url: None)

    def broken(*_, **__):
        raise ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")

    monkeypatch.setattr("segmentation_models_pytorch.encoders.hf_hub_download", broken)
    with pytest.raises(ModelError, match=r"could not be fetched.*Connection reset by peer"):
        NETWORKS["smp-unet"].build(3, weights="imagenet")


def test_a_full_disk_is_not_told_as_offline():
    with (
        pytest.raises(ModelError, match=r"cannot be stored.*No space left"),
        downloads.fetching("weights", "copy them"),
    ):
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_file_that_came_damaged_is_told(hub_cache, monkeypatch):
    monkeypatch.setattr("napari_mpseg.networks.torchvision_networks.require_reachable", lambda url: None)

    def damaged(*_, **__):
        raise RuntimeError('invalid hash value (expected "63fe2227", got "00")')

    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", damaged)
    with pytest.raises(ModelError, match=r"came damaged.*63fe2227"):
        NETWORKS["fcn_resnet101"].build(3, weights="imagenet")


@pytest.mark.parametrize(
    "answer",
    [
        urllib.error.HTTPError("https://example.org", 403, "Forbidden", None, None),
        urllib.error.URLError(ssl.SSLError("unknown certificate")),
    ],
)
def test_any_answer_of_the_server_is_a_sign_of_life(monkeypatch, answer):
    def urlopen(request, timeout):
        assert request.get_method() == "HEAD"
        assert 0 < timeout < 10
        raise answer

    monkeypatch.setattr(urllib.request, "urlopen", urlopen)
    downloads.require_reachable("https://example.org")


def test_files_without_a_hash_in_their_name_are_not_checked(tmp_path):
    (tmp_path / "weights.pth").write_bytes(b"x")
    downloads.refuse_damaged(tmp_path / "weights.pth")
