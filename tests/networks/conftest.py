"""Networks that are cheap to build, and the command line run in this process."""

import pytest
import torch

from napari_mpseg import cli
from napari_mpseg.networks.registry import NETWORKS


@pytest.fixture
def small():
    """Build a registered network in its small variant, the same weights every time."""

    def build(name, channels=3, **options):
        torch.manual_seed(11)
        return NETWORKS[name].build(channels, **NETWORKS[name].small, **options)

    return build


@pytest.fixture
def run(capsys):
    """Run a command; give exit code, standard output and standard error."""

    def run(*arguments):
        try:
            code = cli.main([str(argument) for argument in arguments])
        except SystemExit as stopped:
            code = stopped.code
        said = capsys.readouterr()
        return code, said.out, said.err

    return run
