"""Slides 17 to 25: variational autoencoders."""

from pages.ui.tour.step import Link, Step, link_demo, link_mnist

STEPS = (
    Step(
        "naive",
        "Slides 17–19",
        "Naive sampling",
        "To train the generator, sample codes z from p(z) and rows x from the data, and lower the loss −log p(x|z) of "
        "the pairs. A pair counts by its weight: very few pairs have a gradient that matters.",
        (
            link_demo("naive", "Contributing pairs by latent dimensions and noise", show="pairs"),
            link_demo("naive", "The estimate of log p(x) with 12 latent dimensions", show="estimate", size="12"),
        ),
        formulas=(
            r"p_\theta(x) \approx \frac{1}{k} \sum_{j=1}^{k} p_\theta(x|z_j), \quad z_j \sim p(z)",
            r"\nabla_\theta \log p_\theta(x) \approx \sum_{j=1}^{k} w_j \nabla_\theta \log p_\theta(x|z_j)",
            r"w_j = \frac{p_\theta(x|z_j)}{\sum_i p_\theta(x|z_i)}",
        ),
        symbols={
            r"z_j": "code j of k, sampled without looking at x",
            r"p_\theta(x|z_j)": "how likely row x is when code j is decoded: close to 0 for most pairs",
            r"w_j": "the weight of the pair (z, x) in the gradient; the weights of a row add up to 1",
            r"p(z)": "the prior, N(0, I)",
            r"k": "the number of sampled codes",
        },
        look_for="The framed pairs, which have 99% of the weight: one code an image. Then take the codes from the "
        "encoder of slide 20, and count again.",
        picture="likelihood.draw_pairs",
        minutes=5,
        notes="Ask first how many of the 2,048 pairs of a step matter. The failure is one of variance, not of the "
        "objective: with enough codes it would work, but their number grows exponentially with the latent dimensions. "
        "The codes, of 10 dimensions, are those of a trained VAE, and pixels are made black or white.",
    ),
    Step(
        "encoder",
        "Slides 20–21",
        "The encoder",
        "A second network proposes codes for a given row, with a smaller variance than p(z), and is kept near p(z) by "
        "a KL divergence. The negative loss is then a lower bound on the log-likelihood, tight when q(z|x) = p(z|x).",
        (
            link_demo("elbo", "ELBO and its gap", show="bound", spread="1.5", shift="0.5"),
            link_demo("elbo", "Exact encoder: no gap", show="bound", spread="1.0", shift="0.0"),
        ),
        formulas=(
            r"\log p_\theta(x) \geq \mathbb{E}_{q_\phi(z|x)} \log p_\theta(x|z)",
            r"\qquad - \text{KL}\left(q_\phi(z|x) \,\|\, p(z)\right)",
            r"\text{gap} = \text{KL}\left(q_\phi(z|x) \,\|\, p_\theta(z|x)\right)",
        ),
        symbols={
            r"\log p_\theta(x)": "the log-likelihood of row x, in nats",
            r"q_\phi(z|x)": "the encoder: a Normal distribution over codes, proposed for row x",
            r"\mathbb{E}_{q_\phi(z|x)}": "the mean over codes sampled from the encoder",
            r"\log p_\theta(x|z)": "how well the decoder explains row x from code z, in nats",
            r"\text{KL}": "the Kullback-Leibler divergence: 0 where both distributions are equal, else positive",
            r"p(z)": "the prior, N(0, I)",
            r"p_\theta(z|x)": "the exact posterior: the codes that may have made row x",
        },
        look_for="At 0 the encoder is the prior, as in naive sampling: no KL to p(z), but a gap. At 1 the gap is 0 and "
        "the bound is tight; above 1 the encoder is too sure, and the gap opens again.",
        picture="likelihood.draw_encoder",
        minutes=6,
        notes="Ask which of the two KL divergences is in the loss: the one to p(z). The other one, the gap, is never "
        "computed; here it is known since the generator is linear. A small KL to p(z) is no aim of its own.",
    ),
    Step(
        "reparameterization",
        "Slide 22",
        "Reparameterization",
        "Sampling has no derivative. With z = μ + σ ε and ε ~ N(0, I) the randomness does not depend on the "
        "parameters, so gradients pass.",
        (
            link_demo("gradients", "Two gradient estimators"),
            link_demo("gradients", "Where the score function wins", f="sines", w="8.0"),
        ),
        formulas=(r"z = \mu_\phi(x) + \sigma_\phi(x)\, \varepsilon, \quad \varepsilon \sim \mathcal{N}(0, I)",),
        symbols={
            r"\mu_\phi(x)": "the mean that the encoder proposes for row x",
            r"\sigma_\phi(x)": "the standard deviation that the encoder proposes for row x",
            r"\varepsilon": "noise that does not depend on any weight",
            r"z": "the sampled code",
        },
        look_for="Draw a digit: the ellipse of q(z|x) moves over the map. Throw ε: z moves around μ, μ and σ stay, and "
        "the gradient of the loss reaches both of them, by ∂z/∂μ = 1 and ∂z/∂σ = ε.",
        picture="latent_space.draw_reparameterization",
        is_wide=True,
        minutes=5,
        notes="Let somebody draw a digit that is no clear case, such as a 4 that is nearly a 9. A common "
        "misunderstanding: the trick does not remove the randomness, it makes it an input.",
    ),
    Step(
        "manifold",
        "Slide 23",
        "Generating data",
        "A grid of codes in the latent plane of a VAE, decoded: the data manifolds of MNIST digits and of Frey faces, "
        "as in figure 4 of Kingma and Welling (2014).",
        (
            link_mnist("generation", "Manifold of digits", section="manifold", size="2"),
            Link("pages/generation.py", "Manifold of faces", {"data": "frey", "section": "manifold", "size": "2"}),
        ),
        look_for="Follow the top row of the digits from 1 to 0: which digits lie between? Which two expressions do the "
        "faces run between? Set a smaller reach: the codes are closer together, and neighbouring images differ less.",
        picture="latent_space.draw_manifolds",
        is_wide=True,
        minutes=3,
        notes="Ask why no digit ends at a sharp border: the codes of each row are spread by the noise of q(z|x), so "
        "the decoder is trained between them too.",
    ),
    Step(
        "demos",
        "Slide 24",
        "Demos",
        "Explore the latent space by hand: drag in the plane of MNIST, or morph with one slider per latent dimension.",
        (
            link_mnist("generation", "Drag in the latent plane", section="manifold", size="2"),
            link_mnist("generation", "Sliders", section="sliders", size="10"),
        ),
        look_for="Drag from one digit to another and watch for images that are no digit. Move the first sliders of the "
        "face: does one of them change one property, such as the light or the smile, or several at once?",
        picture="latent_space.draw_demos",
        is_wide=True,
        minutes=4,
        notes="Let the room drag on their own phones. Nothing in the training asks a dimension to stand for one "
        "property, so most sliders change several.",
    ),
    Step(
        "code-vae",
        "Slide 25",
        "Code: a VAE",
        "The notebook of the lecture as it would be written today, on the 8 × 8 digits of scikit-learn: the encoder "
        "gives a distribution over codes, the loss is the negative ELBO, and β weights its KL divergence. Each pixel "
        "is drawn black or white, because a Bernoulli distribution is no normalised density of grey values, and the "
        "loss would be no bound on the likelihood.",
        (
            link_mnist("training", "The same on MNIST: curves, and a form to train", method="vae", preset="reference"),
            link_demo("elbo", "Posterior collapse with β = 8", show="collapse", beta="8.0"),
        ),
        formulas=(
            r"\min_{\theta, \phi} \sum_{i=1}^{n} -\mathbb{E}_{q_\phi(z|x_i)} \log p_\theta(x_i|z)",
            r"+\, \beta\, \text{KL}\left(q_\phi(z|x_i) \,\|\, p(z)\right)",
        ),
        symbols={
            r"\beta": "the weight of the KL divergence; 1 gives the bound on the likelihood",
            r"q_\phi(z|x_i)": "the encoder's distribution over codes for row i",
            r"p_\theta(x_i|z)": "the decoder's distribution over rows for code z",
            r"p(z)": "the prior, N(0, I)",
        },
        look_for="Compare the code with the autoencoder's: which lines differ? Then compare the images for β = 1 and "
        "β = 8: the plane holds fewer digits, and the negative ELBO, which counts the KL divergence once, is higher.",
        picture="code.draw_vae",
        minutes=5,
        notes="Ask what β = 8 does before you open the demo. A common misunderstanding: −ELBO values of two papers can "
        "only be compared if both treat the pixels in the same way.",
    ),
)
