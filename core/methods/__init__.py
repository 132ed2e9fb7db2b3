"""The registry of methods. A method is one module here, imported when it is asked for."""

from __future__ import annotations

from importlib import import_module

from core.types import DOCUMENTS, IMAGES, BadInput, Method

# name -> (what people read, the kinds it fits), in the order of the lecture.
LISTED: dict[str, tuple[str, tuple[str, ...]]] = {
    "pca": ("PCA", (IMAGES,)),
    "lsa": ("LSA", (DOCUMENTS,)),
    "linear_ae": ("Linear AE", (IMAGES,)),
    "ae": ("AE", (IMAGES, DOCUMENTS)),
    "vae": ("VAE", (IMAGES, DOCUMENTS)),
    "gan": ("GAN", (IMAGES,)),
    "tsne": ("t-SNE", (IMAGES, DOCUMENTS)),
}
# Maps of the rows themselves, to hold codes against: no code of a chosen size, so they stand in no comparison of codes.
REFERENCES = ("tsne",)


def names(kind: str | None = None) -> list[str]:
    """Every method, or those that fit a kind of data set."""
    return [name for name, (_, kinds) in LISTED.items() if kind is None or kind in kinds]


def compared(kind: str | None = None) -> list[str]:
    """As `names`, but for the reference maps: what Compare and the command line's compare put side by side."""
    return [name for name in names(kind) if name not in REFERENCES]


def label(name: str) -> str:
    return LISTED[name][0]


def get(name: str) -> Method:
    """The declaration of method `name`.

    Raises
    ------
    BadInput
        If there is no such method.
    """
    if name not in LISTED:
        raise BadInput(f"There is no method {name}: choose one of {', '.join(LISTED)}.")
    return import_module(f"core.methods.{name}").METHOD
