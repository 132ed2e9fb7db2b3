"""Slides 26 to 32: generative adversarial networks, and the code of one."""

from pages.ui.tour.step import Step, link_demo, link_mnist

_PLAYERS = {
    r"G(z)": "the generator's output for code z: a generated row",
    r"D(G(z))": "the discriminator's probability that the generated row is real",
    r"D(x)": "the discriminator's probability that row x is real",
}

STEPS = (
    Step(
        "gan",
        "Slide 26",
        "Adversarial networks",
        "Two players: the generator makes images and scores when they pass for real; the discriminator tells real from "
        "generated. Every code gets a gradient from the discriminator.",
        (link_demo("players", "GAN game", show="game", preset="works"),),
        minutes=6,
    ),
    Step(
        "revisited",
        "Slide 27",
        "Naive sampling, revisited",
        "That few pairs matter is a property of maximum likelihood. Train a discriminator as the measure of similarity "
        "instead.",
        (
            link_demo("naive", "Few pairs with 12 latent dimensions", show="pairs", size="12"),
            link_demo("naive", "Averaging log p(x|z) instead", show="trap"),
            link_demo("players", "Generator only: maximum likelihood", show="alone", preset="works"),
        ),
        minutes=4,
    ),
    Step(
        "adversarial",
        "Slides 28–29",
        "Why adversarial?",
        "If the discriminator were the density of the data, the generator would collapse to its highest mode. In a GAN "
        "the optimal discriminator is p / (p + q); it depends on the generator and penalises that.",
        (
            link_demo("players", "Generator only: D fixed to the data density", show="alone", preset="works"),
            link_demo("players", "Discriminator only: D and p / (p + q)", show="judge", preset="works"),
        ),
        formulas=(r"D^*(x) = \frac{p(x)}{p(x) + q(x)}",),
        symbols={
            r"D^*(x)": "the optimal discriminator for this generator",
            r"p(x)": "the density of the data",
            r"q(x)": "the density of the generated rows; it changes as the generator learns",
        },
        minutes=5,
    ),
    Step(
        "versus",
        "Slides 30–31",
        "VAE v. GAN",
        "Maximise the likelihood of the data under the generator, or of the samples under the data: the first covers "
        "every mode and blurs, the second seeks some modes and misses others (Huszár 2015).",
        (
            link_demo("similarity", "KL(p ‖ q) and KL(q ‖ p)"),
            link_demo("versus", "VAE and GAN on the same data"),
        ),
        formulas=(
            r"\text{KL}(p \,\|\, q) = \mathbb{E}_{x \sim p} \log \frac{p(x)}{q(x)}, \quad"
            r" \text{KL}(q \,\|\, p) = \mathbb{E}_{x \sim q} \log \frac{q(x)}{p(x)}",
        ),
        symbols={
            r"\text{KL}(p \,\|\, q)": "large where data are likely and samples are not: it covers",
            r"\text{KL}(q \,\|\, p)": "large where samples are likely and data are not: it seeks",
            r"p(x)": "the density of the data",
            r"q(x)": "the density of the generated rows",
        },
        minutes=5,
    ),
    Step(
        "objective",
        "Slide 32",
        "The objective",
        "The discriminator minimises a binary cross entropy on real and generated rows, where D(x) is the probability "
        "of being real; the generator makes D call its output real.",
        (link_demo("players", "Losses of both players", show="game", preset="works"),),
        formulas=(
            r"\min_D\ -\mathbb{E}_{x \sim p} \log D(x) - \mathbb{E}_{z \sim p(z)} \log\left(1 - D(G(z))\right)",
            r"\min_G\ -\mathbb{E}_{z \sim p(z)} \log D(G(z))",
        ),
        symbols=_PLAYERS,
        minutes=4,
    ),
    Step(
        "code-gan",
        "Code of the lecture",
        "Code: a GAN",
        "A deep convolutional GAN: its losses and samples. It has no encoder, so there is no code for a given image.",
        (
            link_mnist("training", "The same on MNIST: curves, and a form to train", method="gan", preset="reference"),
            link_mnist("generation", "Samples of all methods", section="samples"),
        ),
        minutes=4,
    ),
)
