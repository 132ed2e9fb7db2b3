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
        "Two players: the generator G makes samples and scores when they pass for real; the discriminator D tells real "
        "from generated. Neither knows the density of the data.",
        (link_demo("players", "GAN game", show="game", preset="works"),),
        formulas=(
            r"\min_D\ -\mathbb{E}_{x \sim p} \log D(x)",
            r"\qquad - \mathbb{E}_{z} \log(1 - D(G(z)))",
            r"\min_G\ -\mathbb{E}_{z} \log D(G(z))",
        ),
        symbols=_PLAYERS,
        look_for="Move the round to 0 and press Slow motion: one round in five sub-steps. Then press Play: the samples "
        "follow the arrows onto the data. Raise a learning rate while it plays.",
        picture="adversarial.draw_game",
        minutes=6,
        notes="Ask before Play: where will the samples be after 100 rounds? A common misunderstanding is that D copies "
        "the data; it only says on which side of p = q a point lies.",
    ),
    Step(
        "revisited",
        "Slide 27",
        "Naive sampling, revisited",
        "That few pairs matter is a property of maximum likelihood. Train a discriminator as the measure of similarity "
        "instead: its gradient exists at every generated sample.",
        (
            link_demo("naive", "Few pairs with 12 latent dimensions", show="pairs", size="12"),
            link_demo("naive", "Averaging log p(x|z) instead", show="trap"),
            link_demo("players", "Generator only: maximum likelihood", show="alone", teacher="likelihood"),
        ),
        formulas=(
            r"\nabla_{G(z)} \log D(G(z))",
            r"\log p(x) \approx \log \frac{1}{K} \sum_{k=1}^{K} p(x|z_k)",
        ),
        symbols={
            r"\nabla_{G(z)} \log D(G(z))": "the arrow at a generated sample: the direction in which D rises",
            r"p(x|z_k)": "the likelihood of a real row under one code; nearly 0 unless G(z) lies close to x",
            r"K": "codes drawn from the prior in a step",
        },
        look_for="Change what the generator learns from: the samples are the same, but by maximum likelihood most "
        "arrows have no length.",
        picture="adversarial.draw_gradients",
        minutes=4,
        notes="The data are in the plane and the share still falls; with 12 latent dimensions it is far worse (link). "
        "Later rounds have more arrows by maximum likelihood, because the samples lie on the data by then.",
    ),
    Step(
        "adversarial",
        "Slides 28–29",
        "Why adversarial?",
        "If the discriminator were the density of the data, the generator would collapse to its highest mode. In a GAN "
        "the optimal discriminator is p / (p + q); it depends on the generator and penalises that.",
        (
            link_demo("players", "Generator only: D fixed to the data density", show="alone"),
            link_demo("players", "Discriminator only: D and p / (p + q)", show="judge", preset="works"),
        ),
        formulas=(r"D^*(x) = \frac{p(x)}{p(x) + q(x)}",),
        symbols={
            r"D^*(x)": "the optimal discriminator for this generator",
            r"p(x)": "the density of the data",
            r"q(x)": "the density of the generated rows; it changes as the generator learns",
        },
        look_for="Move the round to 0 and on: with D frozen, every sample climbs to one point. With D learning, the "
        "samples first crowd at one mode; the background there turns to generated, and they reach both modes.",
        picture="adversarial.draw_opponents",
        minutes=5,
        notes="Ask: what is the best answer of G if D never changes? One point, the highest mode, for every z.",
    ),
    Step(
        "versus",
        "Slides 30–31",
        "VAE v. GAN",
        "A VAE maximises the likelihood of the data under the generator: it covers every mode and blurs. A GAN is "
        "closer to maximising the likelihood of generated samples under the density of the data: it seeks some modes "
        "and may miss others (Huszár 2015).",
        (
            link_demo("similarity", "KL(p ‖ q) and KL(q ‖ p)"),
            link_demo("versus", "VAE and GAN on the same data"),
        ),
        formulas=(
            r"\text{KL}(p \,\|\, q) = \mathbb{E}_{x \sim p} \log \frac{p(x)}{q(x)}",
            r"\text{KL}(q \,\|\, p) = \mathbb{E}_{x \sim q} \log \frac{q(x)}{p(x)}",
        ),
        symbols={
            r"\text{KL}(p \,\|\, q)": "large if data are likely where samples are not: minimising it covers modes",
            r"\text{KL}(q \,\|\, p)": "large if samples are likely where data are not: minimising it seeks modes",
            r"p(x)": "the density of the data",
            r"q(x)": "the density of the generated rows",
        },
        look_for="On the ring and the grid: samples between the modes, which of the two models has them? And which "
        "modes have no samples? Then choose Two moons: which model is better by both divergences?",
        picture="adversarial.draw_models",
        minutes=5,
        notes="A GAN minimises neither KL exactly; what it misses here is measured, and it differs by data set.",
    ),
    Step(
        "objective",
        "Slide 32",
        "The objective",
        "The discriminator minimises a binary cross entropy on real and generated rows, where D(x) is the probability "
        "of being real. The generator makes D call its output real: by the minimax loss, or by the non-saturating one, "
        "whose gradient does not vanish where D is 0.",
        (link_demo("players", "Losses of both players", show="game", preset="works"),),
        formulas=(
            r"\text{D: } \min_D\ -\mathbb{E}_{x \sim p} \log D(x)",
            r"\qquad - \mathbb{E}_{z \sim p(z)} \log\left(1 - D(G(z))\right)",
            r"\text{G, minimax: } \min_G\ \mathbb{E}_{z \sim p(z)} \log\left(1 - D(G(z))\right)",
            r"\text{G, non-saturating: } \min_G\ -\mathbb{E}_{z \sim p(z)} \log D(G(z))",
        ),
        symbols=_PLAYERS,
        look_for="Compare the losses with the lines at log 2 and 2 log 2, which they have if q equals p. On the ring D "
        "learns fast and is certain: −log D(G(z)) still gives long arrows, but log(1 − D(G(z))) is flat at 0, so "
        "those of minimax have hardly any length.",
        picture="adversarial.draw_objective",
        minutes=4,
        notes="A loss at log 2 does not prove that q equals p: a D that learned nothing has it too.",
        is_wide=True,
    ),
    Step(
        "code-gan",
        "Code of the lecture",
        "Code: a GAN",
        "The notebook of the lecture as it would be written today: a deep convolutional GAN, two players with an "
        "optimiser each. It has no encoder, so there is no code for a given image.",
        (
            link_mnist("training", "The same on MNIST: curves, and a form to train", method="gan", preset="reference"),
            link_mnist("generation", "Samples of all methods", section="samples"),
        ),
        formulas=(
            r"\text{D: } \min_D\ -\mathbb{E}_{x \sim p} \log D(x)",
            r"\qquad - \mathbb{E}_{z} \log(1 - D(G(z)))",
            r"\text{G: } \min_G\ -\mathbb{E}_{z} \log D(G(z))",
        ),
        symbols=_PLAYERS,
        look_for="Curves: are the scores of D on train and test images the same, or does it remember the train images? "
        "Images: are all ten digits among the samples, which no loss tells?",
        picture="code.draw_gan",
        minutes=4,
        notes="Ask where the latent code of a given image would come from. A common misunderstanding is to read a "
        "falling generator loss as better samples: it depends on D, which changes too.",
    ),
)
