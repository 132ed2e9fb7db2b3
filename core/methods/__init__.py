"""The registry of methods and their capabilities; a method's own module is imported on use.

A new method is one module with a `METHOD` and one entry in `REGISTRY`. Pages, figures and the command line ask an
entry for its capabilities, never for its name; this imports neither torch nor scikit-learn.
"""

from dataclasses import dataclass
from importlib import import_module

from core.errors import BadInput
from core.types import DOCUMENTS, IMAGES, KINDS, TABLES, Method

# Distributions over latent codes to sample from, see `core.analysis.samplers`.
NORMAL, STANDARDISED, GAUSSIAN, MIXTURE = "normal", "standardised", "gaussian", "mixture"
# Output of a decoder of documents for each word.
PROBABILITY, WEIGHT = "probability", "weight"
# The first method in forms.
DEFAULT = "vae"


@dataclass(frozen=True)
class Entry:
    """What a method is and can do.

    Attributes
    ----------
    name : its name on the command line and of folders; label : its name on the pages.
    kinds : kinds of data set it fits.
    style : index of its colour, symbol and dash in `core.figures.palette`; unique within a chart.
    encodes : whether it has a latent code of any row (``transform``).
    decodes : whether it makes a row from a code (``inverse_transform``).
    has_prior : whether it is trained with codes from N(0, I).
    maps_rows : whether it maps the given rows only. Its estimator is fitted by ``fit_splits`` and has no
        ``transform``; its positions are stored, and a fit can't be resumed.
    is_linear : whether encoder and decoder are linear.
    has_spectrum : whether its runs contain the lowest linear error of every code size (``error_by_size``).
    converges_to : name of the method whose subspace and error its training approaches.
    can_be_inverted : whether codes of images can be searched for, see `core.methods.gan_inverter`.
    samplers : distributions of codes for its decoder, the default first.
    word_output : reconstruction of a document: `PROBABILITY` or `WEIGHT` of each word.
    module : dotted name of the module with its `METHOD`, if not its own name.
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
        """Whether a row's code is the mean of a posterior distribution."""
        return self.encodes and self.has_prior

    @property
    def has_own_code_size(self) -> bool:
        """Whether its code size is not comparable with other methods', since it encodes no rows."""
        return self.decodes and not self.encodes

    @property
    def not_ranked(self) -> str:
        """Why its neighbours are not ranked against those of latent codes; empty if they are."""
        if self.encodes:
            return ""
        return "a map, not ranked" if self.maps_rows else "features, not ranked"


_NOT_WORDS = IMAGES, TABLES
_AE_SAMPLERS = GAUSSIAN, MIXTURE, STANDARDISED, NORMAL
# In the order of the lecture.
REGISTRY: dict[str, Entry] = {
    entry.name: entry
    for entry in (
        Entry("pca", "PCA", _NOT_WORDS, 0, is_linear=True, has_spectrum=True, samplers=(GAUSSIAN,)),
        Entry("lsa", "LSA", (DOCUMENTS,), 0, is_linear=True),
        Entry("linear_ae", "Linear AE", _NOT_WORDS, 1, is_linear=True, converges_to="pca", samplers=(GAUSSIAN,)),
        Entry("ae", "AE", KINDS, 2, samplers=_AE_SAMPLERS, word_output=PROBABILITY),
        Entry("vae", "VAE", KINDS, 3, has_prior=True, samplers=(NORMAL,), word_output=PROBABILITY),
        Entry("gan", "GAN", _NOT_WORDS, 4, encodes=False, has_prior=True, can_be_inverted=True, samplers=(NORMAL,)),
        Entry("tsne", "t-SNE", KINDS, 5, encodes=False, decodes=False, maps_rows=True),
    )
}


def names(kind: str | None = None) -> list[str]:
    """Names of all methods, or of those that fit a kind of data set."""
    return [entry.name for entry in REGISTRY.values() if kind is None or kind in entry.kinds]


def compared(kind: str | None = None) -> list[str]:
    """Names of the methods with codes or samples to compare: all but the maps."""
    return [name for name in names(kind) if not REGISTRY[name].maps_rows]


def entry(name: str) -> Entry:
    """The entry of method `name`; BadInput if there is none."""
    if name not in REGISTRY:
        raise BadInput(f"There is no method {name}: choose one of {', '.join(REGISTRY)}.")
    return REGISTRY[name]


def label(name: str) -> str:
    return entry(name).label


def get(name: str) -> Method:
    """Import the declaration of method `name`; raises as `entry`."""
    return import_module(entry(name).module or f"core.methods.{name}").METHOD
