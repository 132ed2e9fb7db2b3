"""Where each data set can be downloaded, and the checksums of its files."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Source:
    """A published file; `urls` are tried in order, and there are none if only a person can supply it.

    `sha256` is None if no checksum is published, and the parser checks the content; `size` is in bytes, if known.
    """

    file: str
    urls: tuple[str, ...] = ()
    sha256: str | None = None
    size: int | None = None


@dataclass(frozen=True)
class Remote:
    """A data set's published files, the stored file made of them, and an embedded data set to use instead."""

    label: str
    stored: str
    instead: str
    sources: tuple[Source, ...]


# Sizes and checksums of the IDX files: tensorflow_datasets/url_checksums/{mnist,fashion_mnist}.txt.
_IDX = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
_MNIST = (
    ("https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/"),
    (9912422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
    (28881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
    (1648877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
    (4542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
)
_FASHION = (
    (
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    ),
    (26421880, "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
    (29515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
    (4422102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
    (5148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"),
)
# Checksums: scikit-learn, sklearn/datasets/_olivetti_faces.py and _twenty_newsgroups.py.
_OLIVETTI = Source(
    "olivettifaces.mat",
    ("https://ndownloader.figshare.com/files/5976027", "https://cs.nyu.edu/~roweis/data/olivettifaces.mat"),
    "b612fb967f2dc77c9c62d3e1266e0c73d5fca46a4b8906c18e454d41af987794",
)
_NEWSGROUPS = Source(
    "20news-bydate.tar.gz",
    ("https://ndownloader.figshare.com/files/5975967", "http://qwone.com/~jason/20Newsgroups/20news-bydate.tar.gz"),
    "8f1b2514ca22a5ade8fbb9cfa5727df95fa587f4c87b786e15c759fa66d95610",
)
_FREY = Source("frey_rawface.mat", ("https://cs.nyu.edu/~roweis/data/frey_rawface.mat",))
_REUTERS = Source("r8-train-all-terms.txt"), Source("r8-test-all-terms.txt")


def _idx_sources(mirrors: tuple[str, ...], *files: tuple[int, str]) -> tuple[Source, ...]:
    named = zip(_IDX, files, strict=True)
    return tuple(Source(f"{n}.gz", tuple(f"{m}{n}.gz" for m in mirrors), sha, size) for n, (size, sha) in named)


REMOTE = {
    "mnist": Remote("MNIST", "mnist.npz", "mnist-sample", _idx_sources(*_MNIST)),
    "fashion-mnist": Remote("Fashion-MNIST", "fashion_mnist.npz", "fashion-sample", _idx_sources(*_FASHION)),
    "olivetti": Remote("Olivetti faces", "olivetti_faces.npz", "digits", (_OLIVETTI,)),
    "frey": Remote("Frey faces", "frey_faces.npz", "digits", (_FREY,)),
    "newsgroups": Remote("20 Newsgroups", "newsgroups20.jsonl.gz", "docstrings", (_NEWSGROUPS,)),
    "reuters-r8": Remote("Reuters R8", "reuters_r8.jsonl.gz", "docstrings", _REUTERS),
}
