"""The registry of methods: what there is and what each can do. A method's own module is imported when it is used.

A new method is one module with a `METHOD` and one entry in `REGISTRY`. Pages, figures and the command line ask an
entry what its method can do, never which method it is; asking imports neither torch nor scikit-learn.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module

from core.errors import BadInput
from core.types import DOCUMENTS, IMAGES, Method

# Distributions over latent codes to sample from, see `core.analysis.samplers`.
NORMAL, STANDARDISED, GAUSSIAN, MIXTURE = "normal", "standardised", "gaussian", "mixture"
# What a decoder of documents gives for each word.
PROBABILITY, WEIGHT = "probability", "weight"
# What the forms offer first.
DEFAULT = "vae"


@dataclass(frozen=True)
class Entry:
    """What a method is and what it can do.

    Attributes
    ----------
    name : what the command line and folders call it; label : what people read.
    kinds : kinds of data set it fits.
    style : place of its colour, symbol and dash in `core.figures.palette`. No chart holds two methods of one place.
    encodes : whether any row has a latent code of `n_components` dimensions (``transform``).
    decodes : whether it makes a row from a code (``inverse_transform``).
    has_prior : whether it is trained with codes from N(0, I).
    maps_rows : whether it maps the given rows and learns no function of other rows: a reference map beside the codes.
        Its estimator is fitted by ``fit_splits`` and has no ``transform``; the positions of the given rows are stored,
        and a fit can't be continued or kept half-way.
    is_linear : whether encoder and decoder are linear.
    has_spectrum : whether its runs hold the least linear error of every code size (``error_by_size``).
    converges_to : name of the method whose subspace and error its training approaches.
    can_be_inverted : whether codes of given images can be searched for, see `core.methods.gan_inverter`.
    samplers : distributions its decoder is drawn through, its usual one first.
    word_output : what it reconstructs of a document: `PROBABILITY` or `WEIGHT` of each word.
    module : with its `METHOD`.
    """

    name: str
    label: str
    kinds: tuple[str, ...]
    style: int
    encodes: bool = True
    decodes: bool = True
    has_prior: bool = False
    maps_rows: bool = False
    is_linear: bool = False
    has_spectrum: bool = False
    converges_to: str = ""
    can_be_inverted: bool = False
    samplers: tuple[str, ...] = ()
    word_output: str = WEIGHT
    module: str = ""

    @property
    def reconstructs(self) -> bool:
        """Whether it encodes and decodes given rows."""
        return self.encodes and self.decodes

    @property
    def has_posterior(self) -> bool:
        """Whether a row's code is the mean of a distribution that is held to the prior."""
        return self.encodes and self.has_prior

    @property
    def has_own_code_size(self) -> bool:
        """Whether its codes describe no given row, so that their size is compared with no other method's."""
        return self.decodes and not self.encodes

    @property
    def not_ranked(self) -> str:
        """Why its neighbours are not ranked against those of codes; empty for a method whose codes are."""
        if self.encodes:
            return ""
        return "a map, not ranked" if self.maps_rows else "features, not ranked"


# In the order of the lecture.
REGISTRY: dict[str, Entry] = {
    entry.name: entry
    for entry in (
        Entry("pca", "PCA", (IMAGES,), 0, is_linear=True, has_spectrum=True, samplers=(GAUSSIAN,)),
        Entry("lsa", "LSA", (DOCUMENTS,), 0, is_linear=True),
        Entry("linear_ae", "Linear AE", (IMAGES,), 1, is_linear=True, converges_to="pca", samplers=(GAUSSIAN,)),
        Entry(
            "ae",
            "AE",
            (IMAGES, DOCUMENTS),
            2,
            samplers=(GAUSSIAN, MIXTURE, STANDARDISED, NORMAL),
            word_output=PROBABILITY,
        ),
        Entry("vae", "VAE", (IMAGES, DOCUMENTS), 3, has_prior=True, samplers=(NORMAL,), word_output=PROBABILITY),
        Entry("gan", "GAN", (IMAGES,), 4, encodes=False, has_prior=True, can_be_inverted=True, samplers=(NORMAL,)),
        Entry("tsne", "t-SNE", (IMAGES, DOCUMENTS), 5, encodes=False, decodes=False, maps_rows=True),
    )
}


def names(kind: str | None = None) -> list[str]:
    """Every method, or those that fit a kind of data set."""
    return [entry.name for entry in REGISTRY.values() if kind is None or kind in entry.kinds]


def compared(kind: str | None = None) -> list[str]:
    """Methods that are compared by their codes or samples: all but the reference maps."""
    return [name for name in names(kind) if not REGISTRY[name].maps_rows]


def entry(name: str) -> Entry:
    """What method `name` can do.

    Raises
    ------
    BadInput
        If there is no such method.
    """
    if name not in REGISTRY:
        raise BadInput(f"There is no method {name}: choose one of {', '.join(REGISTRY)}.")
    return REGISTRY[name]


def label(name: str) -> str:
    return entry(name).label


def get(name: str) -> Method:
    """Import and return the declaration of method `name`; raises as `entry`."""
    return import_module(entry(name).module or f"core.methods.{name}").METHOD
