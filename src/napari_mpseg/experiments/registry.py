"""The registry of protocols."""

from napari_mpseg.experiments.babkauskas import BABKAUSKAS
from napari_mpseg.experiments.baek import BAEK
from napari_mpseg.experiments.lee_jhang import LEE_JHANG
from napari_mpseg.experiments.protocol import Protocol
from napari_mpseg.registry import Registry

PROTOCOLS: Registry[Protocol] = Registry("protocol")
for _protocol in (BAEK, LEE_JHANG, BABKAUSKAS):
    PROTOCOLS.add(_protocol.name, _protocol)
