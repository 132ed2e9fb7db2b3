"""Slides 10 to 16: generative models, autoencoders as generators, output distributions."""

from pages.ui.tour.step import Step, link_demo, link_mnist

STEPS = (
    Step(
        "generative",
        "Slides 10–13",
        "Generative models",
        "The data are samples from an unknown distribution, and we want new samples. A generator decodes codes from a "
        "known distribution. The similarity of its images to the data is measured by likelihood (VAE) or by a "
        "discriminator (GAN).",
        (
            link_demo("generator", "Decode samples of N(0, I)"),
            link_mnist("generation", "Generated digits of all methods", section="samples"),
        ),
        formulas=(
            r"z \sim p(z), \quad x \sim p_\theta(x|z)",
            r"\max_\theta\, \mathbb{E}_x \log p_\theta(x) \quad \text{or}",
            r"\min_\theta \max_D\, \text{accuracy}(D)",
        ),
        symbols={
            r"z": "the latent code",
            r"p(z)": "the prior: a known distribution that is easy to sample, N(0, I)",
            r"p_\theta(x|z)": "the generator: parameters θ that give a distribution over images x; here one radius",
            r"\log p_\theta(x)": "the log-likelihood of an image of the data under the generator",
            r"\text{accuracy}(D)": "the share of real and generated images that D classifies correctly",
        },
        look_for="Move θ until the generated images look like the data. Both measures agree: the likelihood is highest "
        "where the best discriminator can only guess, in 50% of the cases.",
        picture="generators.draw_generator",
        minutes=6,
        notes="Let the room choose θ by eye before anybody reads the curves. Both ways to measure similarity come "
        "back: likelihood leads to the VAE, the game to the GAN. The spot is so simple that its likelihood is an "
        "integral over a grid of codes, and the best discriminator p / (p + q) is known; for images neither is.",
    ),
    Step(
        "random",
        "Slide 14",
        "Autoencoders as generators?",
        "A decoder maps codes to images, so why not sample a random code? Because the distribution of the codes of an "
        "autoencoder is unknown.",
        (
            link_demo("codes", "The same with 2 and 30 latent dimensions", size="2"),
            link_mnist("generation", "Random codes, all decoders", section="samples"),
        ),
        formulas=(r"z \sim \mathcal{N}(0, I), \quad \hat{x} = \text{dec}_\theta(z)",),
        symbols={
            r"z": "a random code",
            r"\mathcal{N}(0, I)": "the standard normal distribution; the autoencoder was not trained for it",
            r"\text{dec}_\theta": "the decoder of the autoencoder",
            r"\hat{x}": "the decoded image",
        },
        look_for="With N(0, I), how few different digits there are, and how many a classifier finds with a "
        "distribution fitted to the codes. Which of them draws images like the data?",
        picture="generators.draw_random_codes",
        minutes=4,
        notes="Ask first what a decoder makes of a code that no image had. The common misunderstanding: N(0, I) is "
        "wrong in one way everywhere; with 30 dimensions its codes lie off the data, with 2 they miss most of them.",
    ),
    Step(
        "outputs",
        "Slides 15–16",
        "Output distributions",
        "Fix the prior p(z), and let the generator output the parameters of a distribution over images: the means of "
        "Bernoulli pixels for black and white, mean and variance of Normal pixels for grey values. Then maximise the "
        "likelihood of the data.",
        (
            link_demo("generator", "Bernoulli pixels", output="bernoulli"),
            link_demo("generator", "Normal pixels", output="normal"),
        ),
        formulas=(
            r"\max_\theta \sum_{i=1}^{n} \log p_\theta(x_i)",
            r"p_\theta(x) = \int p_\theta(x|z)\, p(z)\, dz",
        ),
        symbols={
            r"p_\theta(x_i)": "the likelihood of row i under the generator",
            r"p_\theta(x|z)": "Bernoulli with a mean a pixel, or Normal with a mean and a variance a pixel",
            r"p(z)": "the prior, N(0, I)",
        },
        look_for="A sample is noisier than its mean, because each pixel is drawn independently. Choose Normal: the "
        "standard deviation is another output of the generator. In which parts of the face is it large?",
        picture="latent_space.draw_output_distribution",
        minutes=5,
        notes="Ask which of the three rows is the generator's output. Most people take the mean for a sample, and "
        "papers show the mean as well.",
    ),
)
