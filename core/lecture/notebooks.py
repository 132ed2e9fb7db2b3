"""The code of the lecture's notebooks, in ``assets/code``, and what it prints and draws when it is run.

``python -m core.lecture.notebooks [NAME ...]`` runs the files and stores their results beside them. A file is plain
PyTorch that runs as it stands; it leaves ``history`` (rows of losses), ``pictures`` (title -> images, (n, 1, height,
width) in [0, 1]), ``train``, ``test`` and its networks, each an ``nn.Sequential``, under their names.
"""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from core.errors import BadInput

FOLDER = Path(__file__).parents[2] / "assets" / "code"
# name of further results -> file, a line of it, and what stands there instead
VARIANTS = {"vae-beta": ("vae", "BETA = 1.0", "BETA = 8.0")}


@dataclass(frozen=True)
class Layer:
    """A layer of a network: its names, such as ``"Conv2d, ReLU"``, and the shape of its output without the batch."""

    name: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Results:
    """What a run of a file left.

    Attributes
    ----------
    history : rows with ``epoch`` and losses, see `core.figures.svg.NAMES`.
    networks : name -> layers, the first with the name "" and the shape of the input.
    n_weights, n_train, n_test : counts.
    pictures : title -> (n, height * width) uint8.
    image_shape : (height, width)
    """

    history: list[dict[str, float]]
    networks: dict[str, list[Layer]]
    n_weights: int
    n_train: int
    n_test: int
    pictures: dict[str, np.ndarray]
    image_shape: tuple[int, int]


def list_names() -> list[str]:
    return sorted([*(path.stem for path in FOLDER.glob("*.py")), *VARIANTS])


def read_code(name: str) -> str:
    """The text of a file, or of a variant of one."""
    file, line, other = VARIANTS.get(name, (name, "", ""))
    return (FOLDER / f"{file}.py").read_text(encoding="utf-8").replace(line, other, 1)


def run_code(text: str) -> Results:
    """Run the text of a file, and collect what it left."""
    import torch
    from torch import nn
    from torch.nn.modules.module import register_module_forward_hook

    shapes: dict[nn.Module, tuple[tuple[int, ...], tuple[int, ...]]] = {}

    def note_shapes(module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        shapes.setdefault(module, (tuple(inputs[0].shape[1:]), tuple(output.shape[1:])))

    left: dict[str, Any] = {"__name__": "__main__"}
    hook = register_module_forward_hook(note_shapes)
    try:
        with torch.random.fork_rng(devices=[]):
            exec(compile(text, "notebook", "exec"), left)
    finally:
        hook.remove()
    networks = {name: value for name, value in left.items() if isinstance(value, nn.Sequential)}
    pictures = {
        title: images.detach().clamp(0, 1).mul(255).round().byte() for title, images in left["pictures"].items()
    }
    return Results(
        left["history"],
        {name: _describe_layers(network, shapes) for name, network in networks.items()},
        sum(weights.numel() for network in networks.values() for weights in network.parameters()),
        len(left["train"]),
        len(left["test"]),
        {title: images.flatten(1).numpy() for title, images in pictures.items()},
        tuple(next(iter(pictures.values())).shape[-2:]),
    )


def _describe_layers(network: Any, shapes: Mapping[Any, tuple]) -> list[Layer]:
    """The layers of a network; those without weights join the one before."""
    layers = [Layer("", shapes[network[0]][0])]
    for module in network:
        name, shape = type(module).__name__, shapes[module][1]
        if list(module.parameters()) or len(layers) == 1:
            layers.append(Layer(name, shape))
        else:
            layers[-1] = Layer(f"{layers[-1].name}, {name}", shape)
    return layers


def write_results(name: str, results: Results) -> None:
    about = {key: value for key, value in vars(results).items() if key not in ("pictures", "networks")}
    about["networks"] = {of: [[layer.name, layer.shape] for layer in layers] for of, layers in results.networks.items()}
    pictures = {f"picture.{title}": images for title, images in results.pictures.items()}
    np.savez_compressed(FOLDER / f"{name}.npz", about=np.array(json.dumps(about)), **pictures)


def read_results(name: str) -> Results:
    """The stored results of a file; BadInput if they are missing or damaged."""
    try:
        with np.load(FOLDER / f"{name}.npz") as arrays:
            about = json.loads(arrays["about"].item())
            pictures = {key.partition(".")[2]: arrays[key] for key in arrays.files if key != "about"}
        networks = about.pop("networks").items()
        about["networks"] = {of: [Layer(layer, tuple(shape)) for layer, shape in layers] for of, layers in networks}
        about["image_shape"] = tuple(about["image_shape"])
        return Results(**about, pictures=pictures)
    except (OSError, EOFError, BadZipFile, ValueError, KeyError, TypeError, AttributeError):
        raise BadInput(f"The results can't be shown: {name}.npz in assets/code is missing or damaged.") from None


if __name__ == "__main__":
    for code in sys.argv[1:] or list_names():
        write_results(code, run_code(read_code(code)))
