"""The lecture in its order: what each step says, and the page that shows it, with the choices that make the point."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

SCRIPT, STEP = "pages/tour.py", "step"
LECTURE = (
    "Deep Learning for Graphics: Unsupervised Learning (Mitra, Kokkinos, Guerrero, Kim, Rematas and Ritschel, "
    "Eurographics and SIGGRAPH Asia course)"
)


@dataclass(frozen=True)
class Look:
    """A link: the page, what it is called here, and the choices it opens with."""

    page: str
    label: str
    choices: Mapping[str, str]


@dataclass(frozen=True)
class Step:
    """One topic of the lecture; slides are its own numbers of them."""

    title: str
    slides: str
    text: str
    looks: tuple[Look, ...]


def _experiment(name: str, label: str, **more: str) -> Look:
    own = {f"{name}.{key}": value for key, value in more.items()}
    return Look("pages/mechanisms.py", label, {"experiment": name, **own})


STEPS = (
    Step(
        "Unsupervised learning",
        "3",
        "Nobody says what the right answer is: the data are all there is. Autoencoders, variational autoencoders and "
        "adversarial networks are three ways to learn from them; here all stand beside PCA, on the same rows.",
        (Look("app.py", "Compare all methods on MNIST", {"data": "mnist", "size": "2"}),),
    ),
    Step(
        "Autoencoders",
        "4–5",
        "Find features that carry what makes rows differ. There is no truth for features, so ask that the row can be "
        "rebuilt from them: the least squared difference between x and dec(enc(x)).",
        (
            Look("pages/embeddings.py", "See which rows the codes put together", {"data": "mnist", "size": "2"}),
            Look("pages/reconstructions.py", "See what is rebuilt", {"data": "mnist", "size": "10"}),
        ),
    ),
    Step(
        "Linear autoencoder and PCA",
        "6",
        "With a linear encoder and decoder the best code spans the same plane as PCA's. Deeper networks rebuild better "
        "from as many numbers, since what they span is curved.",
        (
            Look("pages/reconstructions.py", "Turn one into the other", {"data": "mnist", "section": "linear"}),
            _experiment("linear", "Walk down the loss surface"),
            Look(
                "pages/reconstructions.py",
                "Originals, AE and PCA",
                {"data": "mnist", "section": "images", "size": "30"},
            ),
        ),
    ),
    Step(
        "Documents",
        "7",
        "Instead of pixels, how often each word occurs. Latent semantic analysis is PCA's sister for such counts; an "
        "autoencoder makes two numbers of the same words, in which subjects lie further apart.",
        (Look("pages/documents.py", "Two maps of documents", {"data": "docstrings", "section": "maps", "size": "2"}),),
    ),
    Step(
        "Semi-supervised classification",
        "8",
        "Many images, few labels: train the autoencoder on all images, put a classifier on its features, fine-tune on "
        "the labelled few. How many labels does that save?",
        (Look("pages/labelled_fraction.py", "Test error against labels", {"data": "mnist"}),),
    ),
    Step(
        "Code: an autoencoder",
        "9",
        "A code of 10 numbers for MNIST: how training went, what it rebuilds, what lies between two codes, and what "
        "random codes from a fitted Gaussian decode to.",
        (
            Look("pages/training.py", "The settings, ready to be trained", {"data": "mnist", "method": "ae"}),
            Look("pages/generation.py", "Between two images", {"data": "mnist", "section": "between", "size": "10"}),
        ),
    ),
    Step(
        "Generative models",
        "10–13",
        "The data are draws from a distribution nobody knows, and we want new ones. Push an easy known distribution "
        "through a network, and measure how similar the results are: by likelihood, or by a game.",
        (_experiment("generator", "Push N(0, I) through a decoder"),),
    ),
    Step(
        "Autoencoders as generators?",
        "14",
        "A decoder turns codes into images, so why not draw a code at random? Because nobody knows how the codes of an "
        "autoencoder are distributed.",
        (
            _experiment("codes", "Where the codes live"),
            Look("pages/generation.py", "Random codes for every decoder", {"data": "mnist", "section": "samples"}),
        ),
    ),
    Step(
        "Output distributions",
        "15–16",
        "Fix the distribution of codes, p(z), and let the generator give the parameters of a distribution over images: "
        "Bernoulli means for black and white, a mean and a variance for greys. Then maximise the data's likelihood.",
        (
            _experiment("generator", "Bernoulli pixels", output="bernoulli"),
            _experiment("generator", "Normal pixels", output="normal"),
        ),
    ),
    Step(
        "Naive sampling",
        "17–19",
        "To train it, draw codes from p(z) and rows from the data. Very few of the pairs have a gradient that matters.",
        (_experiment("naive", "Which pairs matter", show="pairs", size="4", noise="0.3"),),
    ),
    Step(
        "The encoder",
        "20–21",
        "A second network proposes codes for a given row, with a smaller spread than p(z), and is kept near p(z) by a "
        "KL divergence. The negative loss is then a lower bound on the likelihood, tight when q(z|x) = p(z|x).",
        (
            _experiment("elbo", "The bound and its gap", show="bound", spread="1.5", shift="0.5"),
            _experiment("elbo", "The exact encoder: no gap", show="bound", spread="1.0", shift="0.0"),
        ),
    ),
    Step(
        "Reparameterization",
        "22",
        "A draw has no derivative. Write z = μ + σ ε with ε ~ N(0, I), and the randomness no longer depends on the "
        "parameters: gradients pass.",
        (
            _experiment("gradients", "Two gradients of the same mean"),
            _experiment("gradients", "Where the other one wins", f="sines", w="8.0"),
        ),
    ),
    Step(
        "Generating data",
        "23",
        "Every code of a plane, decoded: the manifolds of MNIST digits and Frey faces of Kingma and Welling 2014.",
        (
            Look("pages/generation.py", "The plane of digits", {"data": "mnist", "section": "manifold", "size": "2"}),
            Look("pages/generation.py", "The plane of faces", {"data": "frey", "section": "manifold", "size": "2"}),
        ),
    ),
    Step(
        "Demos",
        "24",
        "Move through the code by hand: drag in the plane of MNIST, or morph with one slider for each number.",
        (
            Look("pages/generation.py", "Drag in the plane", {"data": "mnist", "section": "manifold", "size": "2"}),
            Look("pages/generation.py", "Sliders", {"data": "mnist", "section": "sliders", "size": "10"}),
        ),
    ),
    Step(
        "Code: a VAE",
        "25",
        "Codes of 2 and of 10 numbers, and β, which weighs the KL divergence: samples from the prior, and what β "
        "collapses.",
        (
            Look("pages/training.py", "The settings, ready to be trained", {"data": "mnist", "method": "vae"}),
            _experiment("elbo", "What β switches off", show="collapse", beta="8.0"),
        ),
    ),
    Step(
        "Adversarial networks",
        "26",
        "Two players: one makes images and scores when they pass for real, the other tells real from made. Few-pairs "
        "trouble does not arise: every code gets a gradient from the other player.",
        (_experiment("players", "Play the game", show="game", preset="works"),),
    ),
    Step(
        "Naive sampling, revisited",
        "27",
        "That few pairs matter belongs to maximum likelihood. Train a discriminator as the measure instead.",
        (
            _experiment("naive", "Few pairs, larger code", show="pairs", size="12"),
            _experiment("naive", "The trap of averaging log p(x|z)", show="trap"),
            _experiment("players", "Likelihood alone, without a second player", show="alone", preset="works"),
        ),
    ),
    Step(
        "Why adversarial?",
        "28–29",
        "If the discriminator were the density of the data, the generator would shrink onto its highest mode. In a GAN "
        "it is p / (p + q), which punishes that, because it knows what the generator does.",
        (
            _experiment("players", "D frozen to the density: the generator shrinks", show="alone", preset="works"),
            _experiment("players", "D that answers, beside p / (p + q)", show="judge", preset="works"),
        ),
    ),
    Step(
        "VAE against GAN",
        "30–31",
        "Likelihood of the data under the generator, or of the generated under the data: one covers every mode and "
        "blurs, the other seeks and misses some (Huszár 2015).",
        (
            _experiment("similarity", "Cover or seek"),
            _experiment("versus", "Both on the same data"),
        ),
    ),
    Step(
        "The objective",
        "32",
        "The discriminator minimises a binary cross entropy on real and made rows, D(x) being the probability of not "
        "being made; the generator makes D call its rows real.",
        (_experiment("players", "Both losses, step by step", show="game", preset="works"),),
    ),
    Step(
        "Code: a GAN",
        "–",
        "A deep convolutional GAN: its losses, its samples. It has no encoder, so no code for a given image.",
        (
            Look("pages/training.py", "The settings, ready to be trained", {"data": "mnist", "method": "gan"}),
            Look("pages/generation.py", "Its samples beside the others'", {"data": "mnist", "section": "samples"}),
        ),
    ),
)
