"""The commands of the command line, one file each; their work is loaded only when they run."""

from napari_mpseg.commands import (
    batch,
    check,
    classify,
    coco,
    compare,
    compose,
    count,
    crossval,
    demo,
    evaluate,
    export,
    measure,
    methods,
    networks,
    pattern,
    plot,
    presets,
    protocol,
    report,
    runtimes,
    segment,
    separate,
    synthesize,
    threshold,
    train,
    train_bundled,
    train_forest,
)
from napari_mpseg.commands.command import Command
from napari_mpseg.registry import Registry

COMMANDS: Registry[Command] = Registry("command")
for module in (
    demo,
    segment,
    batch,
    separate,
    count,
    measure,
    classify,
    pattern,
    plot,
    report,
    evaluate,
    threshold,
    compare,
    export,
    coco,
    check,
    synthesize,
    methods,
    networks,
    runtimes,
    compose,
    train,
    crossval,
    train_forest,
    protocol,
    presets,
    train_bundled,
):
    COMMANDS.add(module.COMMAND.name, module.COMMAND)

__all__ = ["COMMANDS", "Command"]
