"""Metrics: arrays in, numbers out. `DEFINITIONS` says of every number how it is computed; pages show it as help.

The numbers themselves come from the modules: `intervals`, `reconstruction`, `embedding`, `clustering`, `retrieval`,
`completion`, `generation`, `memory`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from core.metrics.embedding import NEIGHBOURHOOD_ROWS, PROBE_ROWS
from core.metrics.retrieval import MOST_PAIRS

IW_SAMPLES = 200
IW_ROWS = 1_000

_BOOTSTRAP = "The interval is the 2.5-97.5 % range of 1,000 bootstrap resamples of the per-{row} scores."
_IMAGES = _BOOTSTRAP.format(row="image")
_ROWS = _BOOTSTRAP.format(row="row")
_SEEDS = "The interval is the 95 % t interval over five seeds' samples from one fit."
_FEATURES = (
    "samples clipped to [0, 1], in the feature space of the small classifier shipped with the project, fitted on train "
    "rows only (faces: the first 50 principal components)"
)
_NEIGHBOURHOODS = (
    f"On {NEIGHBOURHOOD_ROWS:,} stratified test rows, or all if fewer; codes by Euclidean distance, data likewise "
    "(documents: tf-idf vectors by cosine, documents without a known word left out)."
)
_CLUSTERS = (
    "between the classes and as many clusters, found by k-means (k-means++, best of 10 starts) on the codes of the "
    "labelled test rows"
)
_TABLES = (
    "The interval is the 2.5-97.5 % range of 1,000 bootstrap resamples of these rows, each with the cluster it has, "
    "less their bias (a row and its copy always agree). Never ranked: it is no mean over rows."
)
_DOCUMENTS = _BOOTSTRAP.format(row="document")
_QUERIES = (
    f"the labelled test documents (where there are more than {math.isqrt(MOST_PAIRS):,}, a stratified sample that asks "
    "for all)"
)
_HALVES = (
    "The words of each test document of two or more known words, every occurrence for itself, are drawn into two "
    "halves, the same for every method; "
)
_PERPLEXITY = (
    "exp of the mean -ln p of all held words; a p below 1e-38, about where float32 ends, counts as that. The interval "
    "is the 2.5-97.5 % range of 1,000 bootstrap resamples of the documents."
)
_DRAWN = f"On {NEIGHBOURHOOD_ROWS:,} stratified rows of those drawn, or all if fewer."
_ONE_OUTPUT = (
    "Grey pixels count as Bernoulli means, unlike in figures for binarised images; a Normal output (sigma at least "
    "0.02) is a density and may be negative; a document's is the cross entropy of its words. Never ranked: outputs "
    "differ."
)


@dataclass(frozen=True)
class Definition:
    """What a number is and how it is computed.

    Attributes
    ----------
    key : its name in a run's `metrics`; label : its column header.
    unit : short, "" for none.
    higher_is_better : True, False, or None for a number that is never ranked.
    help : one to three sentences for a tooltip.
    """

    key: str
    label: str
    unit: str
    higher_is_better: bool | None
    help: str


def _retrieval(n: int) -> Definition:
    answers = (
        "Whether the nearest other test document is" if n == 1 else f"Share of the {n} nearest other test documents"
    )
    return Definition(
        f"retrieval_precision_{n}",
        f"Precision at {n}",
        "share",
        True,
        f"{answers} of a test document's own class, averaged over {_QUERIES}; nearest by cosine of the codes. "
        f"{_DOCUMENTS}",
    )


_ALL = (
    Definition(
        "squared_error",
        "Squared error",
        "per image",
        False,
        "Sum over pixels of (x - x̂)², pixels in [0, 1], averaged over the test images; x̂ is not clipped. "
        "The interval is the 2.5-97.5 % range of 1,000 bootstrap resamples of the per-image errors.",
    ),
    Definition(
        "squared_error_per_class",
        "Squared error by class",
        "per image",
        False,
        "Sum over pixels of (x - x̂)², pixels in [0, 1], averaged over the test images of each class.",
    ),
    Definition(
        "knn_accuracy",
        "kNN accuracy",
        "share",
        True,
        "Share of labelled test rows whose class is the commonest among their 15 nearest train codes, by Euclidean "
        "distance whatever the method; of equally common classes the first counts. LSA of documents gains one or two "
        f"points by cosine at 10-D and 50-D (20 Newsgroups, tf-idf: 0.52 to 0.54, 0.65 to 0.67). {_ROWS}",
    ),
    Definition(
        "probe_accuracy",
        "Linear probe",
        "share",
        True,
        "Share of labelled test rows whose class is named by a logistic regression (L2 penalty, C = 1) on the "
        f"standardised codes, fitted on the train codes, or on {PROBE_ROWS:,} of them, stratified, where there are "
        f"more. {_ROWS}",
    ),
    Definition(
        "trustworthiness",
        "Trustworthiness",
        "0 to 1",
        True,
        "1 when the 15 nearest codes of every row are also among its 15 nearest in the data; each code neighbour that "
        f"is not costs its rank in the data beyond 15 (Venna and Kaski 2001). {_NEIGHBOURHOODS} {_ROWS}",
    ),
    Definition(
        "continuity",
        "Continuity",
        "0 to 1",
        True,
        "1 when the 15 nearest of every row in the data are also among its 15 nearest codes; each data neighbour that "
        f"is not costs its rank among the codes beyond 15 (Venna and Kaski 2001). {_NEIGHBOURHOODS} {_ROWS}",
    ),
    Definition(
        "silhouette",
        "Silhouette",
        "-1 to 1",
        True,
        "(b - a) / max(a, b), where a is a row's mean distance to the other rows of its class and b that to the "
        "rows of the nearest other class (Rousseeuw 1987): the true classes are the clusters, none is searched for. "
        f"Euclidean distance of codes, averaged over {NEIGHBOURHOOD_ROWS:,} stratified labelled test rows, or all if "
        f"fewer. {_ROWS}",
    ),
    Definition(
        "kmeans_ari",
        "k-means, adjusted Rand",
        "up to 1",
        None,
        f"Adjusted Rand index (Hubert and Arabie 1985) {_CLUSTERS}: of all pairs of rows, how many are together, or "
        f"apart, in both; 1 when clusters are classes, 0 on average by chance. {_TABLES}",
    ),
    Definition(
        "kmeans_nmi",
        "k-means, mutual info",
        "0 to 1",
        None,
        f"Normalised mutual information {_CLUSTERS}: what cluster and class tell of each other, over the mean of their "
        f"entropies. Not corrected for chance, so higher where rows are fewer. {_TABLES}",
    ),
    _retrieval(1),
    _retrieval(15),
    _retrieval(63),
    Definition(
        "retrieval_precision",
        "Precision",
        "share",
        True,
        f"Share of a test document's own class among its first n answers, averaged over {_QUERIES}; answers are the "
        "other labelled test documents by falling cosine of the codes, or of the tf-idf vectors; n = 1, 3, 7, 15, ... "
        f"and all others (Hinton and Salakhutdinov 2006, figure 4). {_DOCUMENTS}",
    ),
    Definition(
        "tfidf_knn_accuracy",
        "kNN accuracy of tf-idf",
        "share",
        None,
        "Share of labelled test documents whose class is the commonest among the 15 nearest train documents, by cosine "
        "of the tf-idf vectors themselves, (1 + ln count) times inverse document frequency; of equally common classes "
        f"the first counts. Of more test documents than {MOST_PAIRS // 10**6} million over the number of train ones, "
        f"a stratified sample. Never ranked: no method changes it. {_DOCUMENTS}",
    ),
    Definition(
        "tfidf_cosine",
        "Cosine to tf-idf",
        "-1 to 1",
        True,
        "Cosine between a test document's tf-idf vector and what the method rebuilds of it, averaged over the test "
        "documents with a known word. It favours whoever rebuilds tf-idf weights: LSA of these does, LSA of other "
        f"weightings rebuilds those, AE and VAE rebuild word probabilities. {_DOCUMENTS}",
    ),
    Definition(
        "completion_perplexity",
        "Perplexity",
        "",
        False,
        f"{_HALVES}one gives the code (of a VAE the posterior mean), what is decoded from it scores the other: "
        f"{_PERPLEXITY} A method without word probabilities has none. Given words recur in the held half: read it "
        "against the cache perplexity.",
    ),
    Definition(
        "completion_floored",
        "Held words below 1e-38",
        "share",
        None,
        "Share of the held words that perplexity by document completion counts as of probability 1e-38, because the "
        "decoded one was lower or 0 in float32.",
    ),
    Definition(
        "unigram_perplexity",
        "Unigram perplexity",
        "",
        None,
        f"{_HALVES}one is not used, the other scored by each word's share among all words of the train documents: "
        f"{_PERPLEXITY} Never ranked: no method changes it.",
    ),
    Definition(
        "cache_perplexity",
        "Cache perplexity",
        "",
        None,
        f"{_HALVES}the held one is scored by (1 - w) times the unigram model plus w times each word's share in the "
        "given one (cache model, Kuhn and De Mori 1990); w of 0.1, 0.2, ..., 0.9 completes at most 2,000 stratified "
        f"train documents best. {_PERPLEXITY} Never ranked: no method changes it.",
    ),
    Definition(
        "neg_elbo",
        "-ELBO",
        "nats per image",
        None,
        "Minus the evidence lower bound: -ln p(x|z) at one sampled z plus the KL divergence to the prior, beta = 1 "
        f"whatever beta was trained with, averaged over the test images. {_ONE_OUTPUT} {_IMAGES}",
    ),
    Definition(
        "neg_elbo_at_mean",
        "-ELBO at the mean",
        "nats per image",
        None,
        "As -ELBO with beta = 1, but z is the posterior mean instead of a sample: the lecture's convention, and not a "
        f"bound. {_ONE_OUTPUT} {_IMAGES}",
    ),
    Definition(
        "kl",
        "KL",
        "nats per image",
        None,
        "KL divergence of the posterior q(z|x) from the prior N(0, I), in closed form, summed over the code's "
        f"dimensions and averaged over the test images: the second part of -ELBO. {_IMAGES}",
    ),
    Definition(
        "iw_bound",
        "Importance-weighted bound",
        "nats per image",
        None,
        f"-ln of the mean of p(x, z) / q(z|x) over {IW_SAMPLES} sampled z an image, averaged over {IW_ROWS:,} "
        "stratified test images, or all if fewer; an upper bound on -ln p(x) that tightens with more z (Burda et al. "
        f"2016). {_ONE_OUTPUT} {_IMAGES}",
    ),
    Definition(
        "frechet",
        "Fréchet distance",
        "squared feature distance",
        False,
        "|m₁ - m₂|² + tr(S₁ + S₂ - 2 (S₁S₂)^½) of the means and covariances of n samples and n test rows, "
        f"{_FEATURES}. It depends on n: read it against its floor. {_SEEDS}",
    ),
    Definition(
        "frechet_floor",
        "Fréchet floor",
        "squared feature distance",
        None,
        "Fréchet distance between n train rows and n test rows, n and space as for the samples: about what "
        " a perfect sampler would reach. The interval is the 95 % t interval over five draws of train rows.",
    ),
    Definition(
        "precision",
        "Precision",
        "share",
        True,
        "Share of n samples that lie within some test row's distance to its 3rd nearest other test row, of n test rows "
        f"(Kynkäänniemi et al. 2019), {_FEATURES}. {_SEEDS}",
    ),
    Definition(
        "recall",
        "Recall",
        "share",
        True,
        "Share of n test rows that lie within some sample's distance to its 3rd nearest other sample, of n samples "
        f"(Kynkäänniemi et al. 2019), {_FEATURES}. {_SEEDS}",
    ),
    Definition(
        "coverage",
        "Coverage",
        "share",
        True,
        "Share of n test rows that have one of n samples within the distance to their 5th nearest other test row "
        f"(Naeem et al. 2020), {_FEATURES}. {_SEEDS}",
    ),
    Definition(
        "precision_floor",
        "Precision of train rows",
        "share",
        None,
        "Precision with one draw of n train rows in the samples' place: about what a perfect sampler would reach.",
    ),
    Definition(
        "recall_floor",
        "Recall of train rows",
        "share",
        None,
        "Recall with one draw of n train rows in the samples' place: about what a perfect sampler would reach.",
    ),
    Definition(
        "coverage_floor",
        "Coverage of train rows",
        "share",
        None,
        "Coverage with one draw of n train rows in the samples' place: about what a perfect sampler would reach.",
    ),
    Definition(
        "copies",
        "Copies",
        "share",
        None,
        "Share of n samples that only repeat a training image: its distance is at most a third of that to the second "
        "nearest (Yoon et al. 2023). Distances are Euclidean, of pixels in [0, 1], to all training images; where "
        "these hold near-copies of one another, fewer are told. The interval is Wilson's 95 % interval of a share.",
    ),
    Definition(
        "copies_floor",
        "Copies among test rows",
        "share",
        None,
        "The same of n test images, which were not trained on: what a sampler that repeats nothing would show.",
    ),
    Definition(
        "class_shares",
        "Classes of the samples",
        "share",
        None,
        "Share of the samples that the shipped classifier gives to each class, over five seeds' samples.",
    ),
    Definition(
        "map_knn_accuracy",
        "kNN accuracy",
        "share",
        True,
        "Share of labelled rows drawn whose class is the commonest among their 15 nearest other labelled rows drawn, "
        "by Euclidean distance in the map; of equally common classes the first counts. Unlike the kNN accuracy of a "
        f"run it sees the map alone, not the whole code, and leaves one row out instead of asking train rows. {_ROWS}",
    ),
    Definition(
        "map_trustworthiness",
        "Trustworthiness",
        "0 to 1",
        True,
        "1 when the 15 nearest of every row in the map as drawn are also among its 15 nearest in the data; each map "
        "neighbour that is not costs its rank in the data beyond 15 (Venna and Kaski 2001). Map by Euclidean distance, "
        "data likewise (documents: tf-idf vectors by cosine, documents without a known word left out). "
        f"{_DRAWN} {_ROWS}",
    ),
    Definition(
        "neighbour_overlap",
        "Shared neighbours",
        "0 to 1",
        None,
        "Of a row's 15 nearest other rows drawn, by Euclidean distance in two methods' codes: how many are in both "
        "over how many are in either (Jaccard index), averaged over the rows drawn. 1 for the same neighbours, near 0 "
        f"for unrelated ones. {_ROWS} Never ranked: it is of two methods.",
    ),
    Definition(
        "seconds",
        "Seconds to fit",
        "s",
        None,
        "Wall-clock seconds of the fit itself, for networks of the training loop, without loading and measuring; the "
        "run's environment tells threads and precision. Never ranked: machines and budgets differ.",
    ),
    Definition(
        "weights",
        "Weights",
        "numbers",
        None,
        "How many numbers the fit learned: the weights of all networks, without batch norm's running means; of PCA the "
        "components and the mean, of LSA the components; with tf-idf the inverse document frequencies too. Never "
        "ranked.",
    ),
)

DEFINITIONS: dict[str, Definition] = {definition.key: definition for definition in _ALL}
