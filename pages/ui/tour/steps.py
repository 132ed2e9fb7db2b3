"""The steps of the tour: the lecture in its order, and links to the pages that show each step."""

from collections.abc import Mapping
from dataclasses import dataclass

LECTURE = (
    "Deep Learning for Graphics: Unsupervised Learning (Mitra, Kokkinos, Guerrero, Kim, Rematas and Ritschel, "
    "Eurographics and SIGGRAPH Asia course)"
)


@dataclass(frozen=True)
class Link:
    """A link: page, label, and the choices that it opens with."""

    page: str
    label: str
    choices: Mapping[str, str]


class Step:
    """A topic of the lecture: its slides and title, what they say, and links to pages that show it."""

    def __init__(self, heading: str, text: str, *links: Link):
        self.source, _, self.title = heading.partition(": ")
        self.text, self.links = text, links


def _link_demo(name: str, label: str, **choices: str) -> Link:
    own = {f"{name}.{key}": value for key, value in choices.items()}
    return Link("pages/mechanisms.py", label, {"experiment": name, **own})


def _link_mnist(page: str, label: str, **choices: str) -> Link:
    return Link(f"pages/{page}.py", label, {"data": "mnist", **choices})


STEPS = (
    Step(
        "Slide 3: Unsupervised learning",
        "There are no labels: the data are all there is. Autoencoders, variational autoencoders and adversarial "
        "networks are three ways to learn from them; here they are compared with PCA on the same rows.",
        Link("app.py", "Compare all methods on MNIST", {"data": "mnist", "size": "2"}),
    ),
    Step(
        "Slides 4–5: Autoencoders",
        "Find features that carry the main factors of variation. There is no ground truth for features, so ask that "
        "the data can be reconstructed from them: minimise the squared difference between x and dec(enc(x)).",
        _link_mnist("embeddings", "Embeddings: rows with similar codes", size="2"),
        _link_mnist("reconstructions", "Reconstructions", size="10"),
    ),
    Step(
        "Slide 6: Linear autoencoder and PCA",
        "A linear encoder and decoder find the same subspace as PCA. Deeper networks reconstruct better at the same "
        "number of latent dimensions, because they span a curved manifold.",
        _link_mnist("reconstructions", "Rotate the linear AE to PCA", section="linear"),
        _link_demo("linear", "Gradient descent on the loss surface"),
        _link_mnist("reconstructions", "Originals, AE and PCA", section="images", size="30"),
    ),
    Step(
        "Slide 7: Documents",
        "The data are word counts instead of pixels. LSA, a truncated SVD of the counts, and an autoencoder compress "
        "them to two dimensions; topics are better separated by the autoencoder.",
        Link("pages/documents.py", "LSA and AE of documents", {"data": "docstrings", "section": "maps", "size": "2"}),
    ),
    Step(
        "Slide 8: Semi-supervised classification",
        "Many images, few labels: train the autoencoder on all images, add a classifier on its features, and fine-tune "
        "both on the labelled images. How many labels does that save?",
        _link_mnist("labelled_fraction", "Test error by number of labels"),
    ),
    Step(
        "Slide 9: Code: an autoencoder",
        "An autoencoder of MNIST with 10 latent dimensions: training curves, reconstructions, interpolation between "
        "two codes, and random codes from a fitted Gaussian.",
        _link_mnist("training", "Training form", method="ae"),
        _link_mnist("generation", "Interpolation", section="between", size="10"),
    ),
    Step(
        "Slides 10–13: Generative models",
        "The data are samples from an unknown distribution, and we want new samples. A generator decodes samples from "
        "a known distribution; the result is compared with the data by likelihood or by an adversarial game.",
        _link_demo("generator", "Decode samples of N(0, I)"),
    ),
    Step(
        "Slide 14: Autoencoders as generators?",
        "A decoder maps codes to images, so why not sample a random code? Because the distribution of the codes of an "
        "autoencoder is unknown.",
        _link_demo("codes", "Where the latent codes lie"),
        _link_mnist("generation", "Random codes, all decoders", section="samples"),
    ),
    Step(
        "Slides 15–16: Output distributions",
        "Fix the prior p(z) and let the generator output the parameters of a distribution over images: Bernoulli means "
        "for black and white, mean and variance for grey values. Then maximise the likelihood of the data.",
        _link_demo("generator", "Bernoulli pixels", output="bernoulli"),
        _link_demo("generator", "Normal pixels", output="normal"),
    ),
    Step(
        "Slides 17–19: Naive sampling",
        "To train the generator, sample codes from p(z) and rows from the data. Very few of these pairs have a "
        "gradient that matters.",
        _link_demo("naive", "Contributing pairs", show="pairs", size="4", noise="0.3"),
    ),
    Step(
        "Slides 20–21: The encoder",
        "A second network proposes codes for a given row, with a smaller variance than p(z), and is kept near p(z) by "
        "a KL divergence. The negative loss is then a lower bound on the log-likelihood, tight when q(z|x) = p(z|x).",
        _link_demo("elbo", "ELBO and its gap", show="bound", spread="1.5", shift="0.5"),
        _link_demo("elbo", "Exact encoder: no gap", show="bound", spread="1.0", shift="0.0"),
    ),
    Step(
        "Slide 22: Reparameterization",
        "Sampling has no derivative. With z = μ + σ ε and ε ~ N(0, I) the randomness does not depend on the "
        "parameters, so gradients pass.",
        _link_demo("gradients", "Two gradient estimators"),
        _link_demo("gradients", "Where the score function wins", f="sines", w="8.0"),
    ),
    Step(
        "Slide 23: Generating data",
        "Every code of a plane, decoded: the manifolds of MNIST digits and Frey faces of Kingma and Welling 2014.",
        _link_mnist("generation", "Manifold of digits", section="manifold", size="2"),
        Link("pages/generation.py", "Manifold of faces", {"data": "frey", "section": "manifold", "size": "2"}),
    ),
    Step(
        "Slide 24: Demos",
        "Explore the latent space by hand: drag in the plane of MNIST, or morph with one slider per latent dimension.",
        _link_mnist("generation", "Drag in the latent plane", section="manifold", size="2"),
        _link_mnist("generation", "Sliders", section="sliders", size="10"),
    ),
    Step(
        "Slide 25: Code: a VAE",
        "VAEs with 2 and 10 latent dimensions and β, the weight of the KL divergence: samples from the prior, and "
        "posterior collapse for large β.",
        _link_mnist("training", "Training form", method="vae"),
        _link_demo("elbo", "Posterior collapse with β = 8", show="collapse", beta="8.0"),
    ),
    Step(
        "Slide 26: Adversarial networks",
        "Two players: the generator makes images and scores when they pass for real; the discriminator tells real from "
        "generated. The sample-efficiency problem disappears: every code gets a gradient from the discriminator.",
        _link_demo("players", "GAN game", show="game", preset="works"),
    ),
    Step(
        "Slide 27: Naive sampling, revisited",
        "That few pairs matter is a property of maximum likelihood. Train a discriminator as the measure of similarity "
        "instead.",
        _link_demo("naive", "Few pairs with 12 latent dimensions", show="pairs", size="12"),
        _link_demo("naive", "Averaging log p(x|z) instead", show="trap"),
        _link_demo("players", "Generator only: maximum likelihood", show="alone", preset="works"),
    ),
    Step(
        "Slides 28–29: Why adversarial?",
        "If the discriminator were the density of the data, the generator would collapse to its highest mode. In a GAN "
        "the optimal discriminator is p / (p + q); it depends on the generator and penalises that.",
        _link_demo("players", "Generator only: D fixed to the data density", show="alone", preset="works"),
        _link_demo("players", "Discriminator only: D and p / (p + q)", show="judge", preset="works"),
    ),
    Step(
        "Slides 30–31: VAE v. GAN",
        "Maximise the likelihood of the data under the generator, or of the samples under the data: the first covers "
        "every mode and blurs, the second seeks some modes and misses others (Huszár 2015).",
        _link_demo("similarity", "KL(p ‖ q) and KL(q ‖ p)"),
        _link_demo("versus", "VAE and GAN on the same data"),
    ),
    Step(
        "Slide 32: The objective",
        "The discriminator minimises a binary cross entropy on real and generated rows, where D(x) is the probability "
        "of being real; the generator makes D call its output real.",
        _link_demo("players", "Losses of both players", show="game", preset="works"),
    ),
    Step(
        "Code of the lecture: Code: a GAN",
        "A deep convolutional GAN: its losses and samples. It has no encoder, so there is no code for a given image.",
        _link_mnist("training", "Training form", method="gan"),
        _link_mnist("generation", "Samples of all methods", section="samples"),
    ),
)
