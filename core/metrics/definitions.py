"""Definitions of all metrics: label, unit, direction and computation.

One table, hence its length.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from core.metrics.embedding import NEIGHBOURHOOD_ROWS, OVERLAP_DEPTH, PROBE_ROWS
from core.metrics.retrieval import MOST_PAIRS
from core.types import DOCUMENTS, IMAGES, TABLES, Measurement

# Goes into a run's environment. 2: sample metrics come from one draw of n samples, with an interval over these samples
# (or over the real rows that a share is of).
VERSION = 2
IW_SAMPLES = 200
IW_ROWS = 1_000

_PERCENTILES = "95% interval: percentiles of 1,000 bootstrap resamples"
_ROWS = f"{_PERCENTILES} of the per-row scores."
_DATA = f"{_PERCENTILES} of the per-{{row}} scores."
_DOCUMENTS = f"{_PERCENTILES} of the per-document scores."
_SHARE = "95% interval: Wilson's."
_MOMENTS = "95% interval over draws of the samples, by the delta method."
_NEIGHBOURHOODS = f"On {NEIGHBOURHOOD_ROWS:,} stratified test rows, or all if fewer; at least 31 are needed."
_CLUSTERS = "k-means clusters (k-means++, best of 10 starts; one a class) of the labelled test rows' latent codes"
_TABLES = (
    f"{_PERCENTILES} of these rows with their clusters, bias-corrected (a row and its copy always agree). Never "
    "ranked: not a mean over rows."
)
_QUERIES = (
    f"the labelled test documents (a stratified sample if more than {math.isqrt(MOST_PAIRS):,}), each of which queries "
    "all others"
)
_HALVES = (
    "The word occurrences of each test document with at least two known words are split at random into halves, the "
)
_HALVES += "same for every method. "
_PERPLEXITY = (
    f"exp of the mean -ln p of all held-out words, p at least 1e-38 (float32). {_PERCENTILES} of the documents."
)
_DRAWN = f"On {NEIGHBOURHOOD_ROWS:,} stratified rows of those drawn, or all if fewer."
_ONE_OUTPUT = "{outputs} Never ranked: output distributions differ."
_SAMPLER = "about what a perfect sampler would reach."

# Said wherever a likelihood of grey pixels with a Bernoulli output stands, see
# `core.runs.specs.has_unnormalised_likelihood`.
GREY_BERNOULLI = "Bernoulli on grey pixels is no normalised density: −ELBO is then no bound on the likelihood."

# What is said of images, and of documents.
_WORDS = {
    IMAGES: {
        "row": "image",
        "outputs": f"{GREY_BERNOULLI} The other outputs are densities, so this may be negative. "
        "Published for a VAE of binary MNIST: 89.9 (Rezende and Mohamed 2015).",
        "distances": "Euclidean distance, of codes and of data.",
        "map_distances": "Euclidean distance, in the map and in the data.",
        "ties": "by Euclidean distance for every method; ties go to the first class.",
        "linear": "PCA: the components and the mean",
        "features": "Samples are clipped to [0, 1], or drawn as pixels if images are binary, and compared in the "
        "feature space of a small shipped classifier, trained on training rows only (faces: the first 50 principal "
        "components).",
        "pixels": "Euclidean distance of pixels in [0, 1]",
    },
    DOCUMENTS: {
        "row": "document",
        "outputs": "-ln p(x|z) is the cross entropy of the document's words.",
        "distances": "Codes: Euclidean distance. Documents: cosine of their tf-idf vectors, without those that have no "
        "known word.",
        "map_distances": "Map: Euclidean distance. Documents: cosine of their tf-idf vectors, without those that have "
        "no known word.",
        "ties": "by Euclidean distance for every method; ties go to the first class. With cosine LSA would gain one or "
        "two points at 10-D and 50-D (20 Newsgroups, tf-idf: 0.52 to 0.54, 0.65 to 0.67).",
        "linear": "LSA: the components, and with tf-idf the inverse document frequencies",
    },
    TABLES: {
        "row": "row",
        "outputs": "Numbers are a density (Normal, one learned variance a feature), so this may be negative.",
        "distances": "Euclidean distance, of codes and of prepared rows.",
        "map_distances": "Euclidean distance, in the map and of prepared rows.",
        "ties": "by Euclidean distance for every method; ties go to the first class.",
        "linear": "PCA: the components and the mean",
        "features": "Samples and rows are compared in the whitened principal components that hold 99 % of the training "
        "rows' variance, 50 at most.",
        "pixels": "Euclidean distance of prepared rows",
    },
}

_BOUNDS = {"share": (0.0, 1.0), "0 to 1": (0.0, 1.0), "−1 to 1": (-1.0, 1.0), "up to 1": (-math.inf, 1.0)}


@dataclass(frozen=True)
class Definition:
    """What a metric is and how it is computed.

    Attributes
    ----------
    key : its name in a run's `metrics`; label : its column header.
    unit : short, "" for none.
    higher_is_better : True, False, or None for a metric that is never ranked.
    help : one to three sentences for a tooltip.
    """

    key: str
    label: str
    unit: str
    higher_is_better: bool | None
    help: str

    @property
    def title(self) -> str:
        """``"Squared error (per image)"``"""
        return f"{self.label} ({self.unit})" if self.unit else self.label

    @property
    def bounds(self) -> tuple[float, float]:
        """Smallest and largest value that the metric can have."""
        # A density may be above 1, so minus its logarithm below 0.
        others = (-math.inf, math.inf) if self.unit.startswith("nats") and self.key != "kl" else (0.0, math.inf)
        return _BOUNDS.get(self.unit, others)


def _define_retrieval(n: int) -> Definition:
    answers = (
        "Whether the most similar test document has" if n == 1 else f"Share of the {n} most similar test documents with"
    )
    return Definition(
        f"retrieval_precision_{n}",
        f"Precision at {n}",
        "share",
        True,
        f"{answers} the query's class, by cosine of the latent codes, averaged over {_QUERIES}. {_DOCUMENTS}",
    )


# fmt: off
_TEMPLATES = (
    Definition("squared_error", "Squared error", "per {row}", False,
        "Sum over pixels of (x - x̂)², pixels in [0, 1], averaged over the test images; x̂ is not clipped. "
        f"{_PERCENTILES} of the per-image errors."),
    Definition("squared_error_per_class", "Squared error by class", "per {row}", False,
        "Sum over pixels of (x - x̂)², pixels in [0, 1], averaged over the test images of each class."),
    Definition("unexplained_variance", "Unexplained variance", "share", False,
        "Sum over test rows of (x - x̂)² divided by that of (x - mean)², averaged over the features that are numbers: "
        f"1 minus R². 0 is a perfect reconstruction, 1 is as good as the mean. Missing cells do not count. {_ROWS}"),
    Definition("category_accuracy", "Category accuracy", "share", True,
        "Share of the test rows' categories that the reconstruction makes the most probable, averaged over the "
        f"features that are categories. Missing cells do not count. {_ROWS}"),
    Definition("error_per_feature", "Error by feature", "share", False,
        "Numbers: unexplained variance of the feature. Categories: share of test rows with another category."),
    Definition("knn_accuracy", "kNN accuracy", "share", True,
        "Share of labelled test rows whose class is the most frequent among their 15 nearest training codes, {ties} "
        + _ROWS),
    Definition("probe_accuracy", "Linear probe", "share", True,
        "Accuracy on labelled test rows of a logistic regression (L2 penalty, C = 1) on the standardised codes, fitted "
        f"to the training codes, or to {PROBE_ROWS:,} stratified ones if more. {_ROWS}"),
    Definition("trustworthiness", "Trustworthiness", "0 to 1", True,
        "1 if the 15 nearest codes of every row are also among its 15 nearest in the data; each other code neighbour "
        f"is penalised by its rank in the data beyond 15 (Venna and Kaski 2001). {{distances}} {_NEIGHBOURHOODS} "
        f"{_ROWS}"),
    Definition("continuity", "Continuity", "0 to 1", True,
        "1 if the 15 nearest of every row in the data are also among its 15 nearest codes; each other data neighbour "
        f"is penalised by its rank among the codes beyond 15 (Venna and Kaski 2001). {{distances}} {_NEIGHBOURHOODS} "
        f"{_ROWS}"),
    Definition("silhouette", "Silhouette", "−1 to 1", True,
        "(b - a) / max(a, b): a is a row's mean distance to the other rows of its class, b to the rows of the nearest "
        "other class (Rousseeuw 1987). The clusters are the true classes. Euclidean distance of codes, averaged over "
        f"{NEIGHBOURHOOD_ROWS:,} stratified labelled test rows, or all if fewer. {_ROWS}"),
    Definition("kmeans_ari", "k-means, adjusted Rand", "up to 1", None,
        f"Adjusted Rand index (Hubert and Arabie 1985) between the classes and {_CLUSTERS}. 1 if clusters are "
        f"classes, 0 on average by chance. {_TABLES}"),
    Definition("kmeans_nmi", "k-means, mutual info", "0 to 1", None,
        f"Mutual information between the classes and {_CLUSTERS}, over the mean of their entropies. Not corrected for "
        f"chance, so higher for fewer rows. {_TABLES}"),
    _define_retrieval(1),
    _define_retrieval(15),
    _define_retrieval(63),
    Definition("retrieval_precision", "Precision", "share", True,
        f"Share of the query's class among the first n answers, averaged over {_QUERIES}. Answers: the other labelled "
        "test documents, by decreasing cosine of the latent codes or of the tf-idf vectors; n = 1, 3, 7, 15, ... and "
        f"all others (Hinton and Salakhutdinov 2006, figure 4). {_DOCUMENTS}"),
    Definition("tfidf_knn_accuracy", "kNN accuracy of tf-idf", "share", None,
        "Share of labelled test documents whose class is the most frequent among their 15 nearest training "
        "documents, by cosine of the tf-idf vectors, (1 + ln count) times inverse document frequency; ties go to the "
        f"first class. On a stratified sample of the test documents if there are more than {MOST_PAIRS // 10**6} "
        f"million pairs. Never ranked: it does not depend on the method. {_DOCUMENTS}"),
    Definition("tfidf_cosine", "Cosine to tf-idf", "−1 to 1", True,
        "Cosine between a test document's tf-idf vector and its reconstruction, averaged over the test documents "
        "with a known word. It favours methods that reconstruct tf-idf weights, as LSA of tf-idf does; LSA of other "
        f"weightings reconstructs those, AE and VAE word probabilities. {_DOCUMENTS}"),
    Definition("completion_perplexity", "Perplexity", "", False,
        f"{_HALVES}One half is encoded (VAE: the posterior mean) and decoded to predict the other: {_PERPLEXITY} Only "
        "for methods with word probabilities. Words recur within a document, so compare with the cache perplexity."),
    Definition("completion_floored", "Held words below 1e-38", "share", None,
        "Share of held-out words that the perplexity counts with probability 1e-38, because the decoded probability "
        "was lower or 0 in float32."),
    Definition("unigram_perplexity", "Unigram perplexity", "", None,
        f"{_HALVES}One half is unused; the other is predicted by each word's share of all words in the training "
        f"documents: {_PERPLEXITY} Never ranked: it does not depend on the method."),
    Definition("cache_perplexity", "Cache perplexity", "", None,
        f"{_HALVES}One half is predicted by (1 - w) times the unigram model plus w times the word shares in the other "
        "half (cache model, Kuhn and De Mori 1990); w is the best of 0.1, 0.2, ..., 0.9 on at most 2,000 stratified "
        f"training documents. {_PERPLEXITY} Never ranked: it does not depend on the method."),
    Definition("neg_elbo", "−ELBO", "nats per {row}", None,
        "Negative evidence lower bound: -ln p(x|z) at one sampled z plus the KL divergence to the prior, with beta = 1 "
        f"whatever beta was used in training, averaged over the test {{row}}s. {_ONE_OUTPUT} {_DATA}"),
    Definition("neg_elbo_at_mean", "−ELBO at the mean", "nats per {row}", None,
        "−ELBO with beta = 1 and z the posterior mean instead of a sample: the lecture's convention, not a bound. "
        f"{_ONE_OUTPUT} {_DATA}"),
    Definition("kl", "KL", "nats per {row}", None,
        "KL divergence of the posterior q(z|x) from the prior N(0, I), in closed form, summed over latent dimensions "
        f"and averaged over the test {{row}}s: the second term of −ELBO. {_DATA}"),
    Definition("iw_bound", "Importance-weighted bound", "nats per {row}", None,
        f"-ln of the mean of p(x, z) / q(z|x) over {IW_SAMPLES} samples of z, averaged over {IW_ROWS:,} stratified "
        "test {row}s, or all if fewer: an upper bound on -ln p(x), tighter with more samples (Burda et al. 2016). "
        f"{_ONE_OUTPUT} {_DATA}"),
    Definition("frechet", "Fréchet distance", "squared feature distance", False,
        "|m₁ - m₂|² + tr(S₁ + S₂ - 2 (S₁S₂)^½) of the means and covariances of n samples and n test rows. "
        f"{{features}} It depends on n: compare with its floor. {_MOMENTS}"),
    Definition("frechet_floor", "Fréchet floor", "squared feature distance", None,
        "Fréchet distance between n training rows and n test rows, with the n and features of the samples: "
        f"{_SAMPLER} {_MOMENTS}"),
    Definition("precision", "Precision", "share", True,
        "Share of n samples within the distance from some test row to its 3rd nearest other test row, of n test rows "
        f"(Kynkäänniemi et al. 2019). {{features}} {_SHARE}"),
    Definition("recall", "Recall", "share", True,
        "Share of n test rows within the distance from some sample to its 3rd nearest other sample, of n samples "
        f"(Kynkäänniemi et al. 2019). {{features}} {_SHARE}"),
    Definition("coverage", "Coverage", "share", True,
        "Share of n test rows with one of n samples within the distance to their 5th nearest other test row (Naeem et "
        f"al. 2020). {{features}} {_SHARE}"),
    *(
        Definition(
            f"{name}_floor",
            f"{name.capitalize()}, training rows",
            "share",
            None,
            f"{name.capitalize()} of n training rows, drawn once, instead of samples: {_SAMPLER}",
        )
        for name in ("precision", "recall", "coverage")
    ),
    Definition("copies", "Near-duplicates", "share", None,
        "Share of n samples that are near-duplicates of a training {row}: its distance is at most a third of that to "
        "the second nearest (Yoon et al. 2023). {pixels}, to all training {row}s; "
        f"fewer are found if these contain near-duplicates themselves. {_SHARE}"),
    Definition("copies_floor", "Near-duplicates (test)", "share", None,
        "The share of near-duplicates among n test {row}s, which were not trained on: what a sampler without "
        "memorisation would show."),
    Definition("class_shares", "Classes of the samples", "share", None,
        "Share of the n samples that the shipped classifier assigns to each class."),
    Definition("map_knn_accuracy", "kNN accuracy of the map", "share", True,
        "Share of labelled rows drawn whose class is the most frequent among their 15 nearest other labelled rows "
        "drawn, by Euclidean distance in the map; ties go to the first class. Unlike a run's kNN accuracy it uses "
        f"the 2-D map, not the latent code, and leave-one-out instead of training rows. {_SHARE}"),
    Definition("map_trustworthiness", "Trustworthiness of map", "0 to 1", True,
        "1 if the 15 nearest of every row in the map are also among its 15 nearest in the data; each other map "
        f"neighbour is penalised by its rank in the data beyond 15 (Venna and Kaski 2001). {{map_distances}} {_DRAWN} "
        f"{_ROWS}"),
    Definition("neighbour_overlap", "Shared neighbours", "0 to 1", None,
        f"Average overlap (Webber et al. 2010) of the {OVERLAP_DEPTH} nearest other rows in two methods' latent "
        "codes, or of all if fewer: the share of the first d neighbours found by both, averaged over d = 1, 2, ... "
        f"and over the rows drawn. 1 for equal rankings, 0 without shared neighbours. {_ROWS} Never ranked: it "
        "compares two methods."),
    Definition("seconds", "Training time", "s", None,
        "Wall-clock time of the fit, for networks of the training loop, without loading and evaluation. Never ranked: "
        "machines and budgets differ."),
    Definition("weights", "Parameters", "", None,
        "How many numbers were learned: the weights of all networks, without batch norm's running means. {linear}. "
        "Never ranked."),
)
# fmt: on


def _fill(template: Definition, kind: str) -> Definition:
    words = _WORDS[IMAGES] | _WORDS[kind]
    return replace(template, unit=template.unit.format(**words), help=template.help.format(**words))


_BY_KIND = {kind: {template.key: _fill(template, kind) for template in _TEMPLATES} for kind in _WORDS}
DEFINITIONS: dict[str, Definition] = _BY_KIND[IMAGES]


def get_definition(name: str, kind: str) -> Definition:
    """The definition of a metric on this kind of data, which changes unit and wording."""
    return _BY_KIND.get(kind, DEFINITIONS)[name]


def get_interval(metrics: Mapping[str, Measurement], name: str) -> tuple[float, float] | None:
    """The 95% interval of a metric, cut to its bounds; None where it has none.

    Intervals by t or by bias-corrected bootstrap may otherwise reach below an error of 0.
    """
    if name not in metrics or not (ends := metrics[name].interval):
        return None
    # Metrics of samples by a chosen sampler are named <sampler>.<name>.
    known = DEFINITIONS.get(name.rpartition(".")[2])
    low, high = known.bounds if known else (-math.inf, math.inf)
    return max(low, ends[0]), min(high, ends[1])
