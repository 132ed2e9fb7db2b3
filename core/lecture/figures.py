"""Figures of the hand-out, black on white: a picture for a step of the tour, from stored runs or exact formulas."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from core import methods
from core.analysis import decoder_export, generator_outputs
from core.analysis.codes import to_pixels
from core.figures import montages
from core.figures.line_chart import render_lines
from core.lecture import quantities
from core.lecture.quantities import find_run
from core.runs import reader, selection
from core.types import Run

_DATA, _DOCUMENTS, _FACES = "mnist", "reuters-r8", "olivetti"
DATASETS = (_DATA, _DOCUMENTS, _FACES)
_SHOWN = 10
_SPLITS = {"loss": "train", "test_loss": "test"}
_SPREADS = np.geomspace(0.3, 3, 40)


@dataclass(frozen=True)
class Figure:
    """A picture in HTML, and a caption with its numbers."""

    picture: str
    caption: str


def _draw_maps(data: str, names: Sequence[str], noun: str) -> Figure:
    pictures, scores = [], []
    for name in names:
        run, label = find_run(data, name, 2), methods.label(name)
        image = montages.make_thumbnail(run.views["map"], run.views["labels"], "light", 300)
        pictures.append(_make_picture(image, f"Map of {label}", label))
        scores.append(f"{label} {run.metrics['knn_accuracy'].value:.1%}")
    n = run.metrics["knn_accuracy"].n
    text = f"The 2-D codes of {len(run.views['map']):,} test {noun}s, coloured by class."
    return Figure("".join(pictures), f"{text} kNN accuracy, n = {n:,}: {', '.join(scores)}.")


def draw_families() -> Figure:
    runs = {methods.label(name): find_run(_DATA, name, 2) for name in ("pca", "ae", "vae")}
    first, gan = next(iter(runs.values())), find_run(_DATA, "gan", 10)
    strips = [("Test images", first.views["originals"][:_SHOWN])]
    strips += [
        (f"{label}, reconstructed from 2 dimensions", run.views["reconstructions"][:_SHOWN])
        for label, run in runs.items()
    ]
    strips.append((f"{methods.label('gan')}, samples", gan.views["samples"][:_SHOWN]))
    errors = [f"{label} {run.metrics['squared_error'].value:.2f}" for label, run in runs.items()]
    n = first.metrics["squared_error"].n
    return Figure(_make_strips(strips, first), f"Squared error per image, n = {n:,}: {', '.join(errors)}.")


def draw_features() -> Figure:
    return _draw_maps(_DATA, ("pca", "ae", "vae"), "image")


def draw_documents() -> Figure:
    return _draw_maps(_DOCUMENTS, ("lsa", "ae"), "document")


def draw_reconstructions() -> Figure:
    runs = {methods.label(name): find_run(_DATA, name, 30, selection.BEST_EFFORT) for name in ("ae", "pca")}
    first = next(iter(runs.values()))
    strips = [("Test images", first.views["originals"][:_SHOWN])]
    strips += [(label, run.views["reconstructions"][:_SHOWN]) for label, run in runs.items()]
    errors = [f"{label} {run.metrics['squared_error'].value:.2f}" for label, run in runs.items()]
    n = first.metrics["squared_error"].n
    caption = f"Reconstructions from 30 dimensions. Squared error per image, n = {n:,}: {', '.join(errors)}."
    return Figure(_make_strips(strips, first), caption)


def draw_labels() -> Figure:
    counts = (100, 300, 600, 1000, 3000)
    shown = {"network": "from scratch", "fine_tuned": "AE, fine-tuned"}
    compute = lambda name, n: 100 * quantities.test_error(_DATA, name, n)
    lines = {label: (counts, [compute(name, n) for n in counts]) for name, label in shown.items()}
    first = [f"{label} {y[0]:.1f}%" for label, (_, y) in lines.items()]
    chart = render_lines(lines, "labels", "test error (%)", is_log=True)
    return Figure(chart, f"Test error on MNIST, mean over seeds. With {counts[0]} labels: {', '.join(first)}.")


def _draw_notebook(name: str, unit: str, names: Mapping[str, str]) -> Figure:
    """Curves of the code that is printed, from the stored results of its run; `names` are its losses, with labels."""
    from core.lecture import notebooks

    results = notebooks.read_results(name)
    rows = results.history
    lines = {label: ([row["epoch"] for row in rows], [row[term] for row in rows]) for term, label in names.items()}
    last = [f"{label} {y[-1]:.3g}" for label, (_, y) in lines.items()]
    about = f"The code below, on {results.n_train:,} train and {results.n_test:,} test images"
    return Figure(
        render_lines(lines, "epoch", f"loss ({unit})"), f"{about}. After {len(rows)} epochs: {', '.join(last)}."
    )


def draw_autoencoder_training() -> Figure:
    return _draw_notebook("autoencoder", "squared error", _SPLITS)


def draw_vae_training() -> Figure:
    return _draw_notebook("vae", "nats", _SPLITS)


def draw_gan_training() -> Figure:
    names = {"discriminator_loss": "discriminator", "generator_loss": "generator"}
    return _draw_notebook("gan", "nats", names)


def draw_samples() -> Figure:
    runs = {methods.label(name): find_run(_DATA, name, 10) for name in ("vae", "gan")}
    first = next(iter(runs.values()))
    strips = [("Data", first.views["originals"][:_SHOWN])]
    strips += [(f"{label}, samples", run.views["samples"][:_SHOWN]) for label, run in runs.items()]
    distances = [f"{label} {run.metrics['frechet'].value:.1f}" for label, run in runs.items()]
    n = first.metrics["frechet"].n
    caption = f"Test images, and images that are generated. Fréchet distance, n = {n:,}: {', '.join(distances)}."
    return Figure(_make_strips(strips, first), caption)


def draw_contributing_pairs() -> Figure:
    sizes = (1, 2, 3, 4, 6, 8, 12, 16)
    share = lambda size, proposal: 100 * quantities.contributing_pairs(size, 0.3, proposal=proposal)
    lines = {name: (sizes, [share(size, name) for size in sizes]) for name in ("prior", "encoder")}
    chart = render_lines(lines, "latent dimensions", "pairs that make up 99% of the gradient (%)")
    ends = [f"codes from the {name} {y[-1]:.2g}%" for name, (_, y) in lines.items()]
    text = "Output standard deviation 0.3, 256 codes for each row."
    return Figure(chart, f"{text} With {sizes[-1]} dimensions: {', '.join(ends)}.")


def draw_bound() -> Figure:
    names = {"reconstruction": "reconstruction", "kl": "KL to the prior", "gap": "gap"}
    lines = {
        label: (_SPREADS, [quantities.elbo_term(term, float(s)) for s in _SPREADS]) for term, label in names.items()
    }
    chart = render_lines(lines, "standard deviation of q(z|x), relative to the posterior", "nats", is_log=True)
    sides = {side: quantities.elbo_term("gap", side) for side in (0.5, 2.0)}
    gaps = [f"{gap:.2f} nats at {side:g}" for side, gap in sides.items()]
    return Figure(chart, f"The terms of −ELBO of one row, and its gap to −log p(x): 0 at 1, {', '.join(gaps)}.")


def draw_variance_ratio() -> Figure:
    sizes = (1, 2, 4, 8, 16, 32, 64, 128, 256)
    functions = {"f = |z|²": ("quadratic", 1.0), "f = Σ sin(8 z)": ("sines", 8.0)}
    lines = {
        label: (sizes, [quantities.variance_ratio(f, size, 1.0, w=w) for size in sizes])
        for label, (f, w) in functions.items()
    }
    axis = "variance of score function / reparameterized"
    chart = render_lines(lines, "latent dimensions", axis, is_log=True, has_log_y=True)
    ends = [f"{label}: {y[-1]:,.0f}" for label, (_, y) in lines.items()]
    return Figure(
        chart, f"Above 1 reparameterization needs fewer samples. With {sizes[-1]} dimensions, {'; '.join(ends)}."
    )


def _export_decoder(run: Run) -> decoder_export.Decoder:
    return decoder_export.export_stored_decoder(run, reader.read_weights(run.place))


def draw_random_codes() -> Figure:
    run, rng = find_run(_DATA, "ae", 10), np.random.default_rng(0)
    decoder, normal = _export_decoder(run), rng.standard_normal((_SHOWN, 10))
    weights, means, factors = (run.views[f"sampler.mixture.{name}"] for name in ("weights", "means", "factors"))
    drawn = rng.choice(len(weights), _SHOWN, p=weights / weights.sum())
    fitted = means[drawn] + np.einsum("nij,nj->ni", factors[drawn], normal)
    strips = [
        (title, to_pixels(decoder_export.decode(decoder, codes.astype(np.float32))))
        for title, codes in (("N(0, I)", normal), ("Ten Gaussians fitted to the codes", fitted))
    ]
    distances = [f"{run.metrics[f'{kind}.frechet'].value:.1f}" for kind in ("normal", "mixture")]
    caption = f"An AE with 10 dimensions decodes random codes. Fréchet distance: {' and '.join(distances)}."
    return Figure(_make_strips(strips, run), caption)


def draw_output_distribution() -> Figure:
    run = find_run(_DATA, "vae", 2)
    codes = np.random.default_rng(0).standard_normal((_SHOWN, 2)).astype(np.float32)
    mean, deviation = generator_outputs.decode_distribution(run, reader.read_weights(run.place), codes)
    sample = generator_outputs.sample_images(mean, deviation, "bernoulli", 0)
    strips = [("Means of the pixels", to_pixels(mean)), ("A sample of every pixel", to_pixels(sample))]
    caption = f"Bernoulli outputs for random codes; the standard deviation of a pixel is at most {deviation.max():.2f}."
    return Figure(_make_strips(strips, run), caption)


def draw_plane() -> Figure:
    run = find_run(_DATA, "vae", 2)
    plane = generator_outputs.decode_plane(_export_decoder(run), 16, 10, 2.0)
    shape = tuple(run.environment["image_shape"])
    sheet = montages.make_montage(to_pixels(plane.images), shape, plane.columns, cell=28, gap=0)
    return Figure(_make_picture(sheet, "Decoded codes of the plane"), "The plane of codes of a VAE, decoded.")


def draw_face_sliders() -> Figure:
    """Faces along the three dimensions of an AE that change a face most; all others keep their mean."""
    run = find_run(_FACES, "ae", 30)
    decoder, codes = _export_decoder(run), np.asarray(run.views["codes"], np.float64)
    mean, deviation = codes.mean(axis=0), codes.std(axis=0)
    steps = np.linspace(-2, 2, 7)
    moved = mean + steps[None, :, None] * np.eye(codes.shape[1])[:, None, :] * deviation
    faces = np.stack([decoder_export.decode(decoder, row.astype(np.float32)) for row in moved])
    effects = np.square(faces[:, -1] - faces[:, 0]).mean(axis=1)
    strips = [(f"z{k + 1}, mean ± 2 standard deviations", to_pixels(faces[k])) for k in np.argsort(-effects)[:3]]
    caption = "Sliders of a face: three of the 30 dimensions of an AE, the others at their mean."
    return Figure(_make_strips(strips, run, len(steps)), caption)


def draw_pulled_samples() -> Figure:
    from core.mechanisms import finished_games

    game = finished_games.read_finished("works")
    shown = game.rounds <= 300
    kinds = {"discriminator": game.pulled, "maximum likelihood": game.pulled_by_likelihood}
    lines = {label: (game.rounds[shown], 100 * shares[shown]) for label, shares in kinds.items()}
    chart = render_lines(lines, "round", "samples with a gradient (%)")
    first = [f"from the {label} {100 * shares[0]:.0f}%" for label, shares in kinds.items()]
    return Figure(chart, f"A gradient longer than 1% of the longest, at the start: {', '.join(first)} of the samples.")


def draw_game() -> Figure:
    from core.mechanisms import finished_games

    game = finished_games.read_finished("works")
    mixture = finished_games.GAMES["works"][0].mixture
    real = mixture.sample(len(game.samples), np.random.default_rng(0))
    points, labels = np.concatenate([real, game.samples]), np.repeat([0, 1], len(real))
    pictures = [
        _make_picture(montages.make_thumbnail(np.where(shown[:, None], points, np.nan), labels, "light", 300), alt, alt)
        for alt, shown in (("Data", labels == 0), ("Generated", labels == 1))
    ]
    scores = f"Jensen-Shannon divergence {game.js[-1]:.3f} nats, at the start {game.js[0]:.3f}"
    answers = f"D answers {game.on_real[-1]:.2f} on real and {game.on_generated[-1]:.2f} on generated rows"
    return Figure("".join(pictures), f"After {game.rounds[-1]:,} rounds: {scores}; {answers}.")


def draw_optimal_discriminator() -> Figure:
    from core.mechanisms import density_comparison, gaussian_mixtures
    from core.mechanisms.gaussian_mixtures import Mixture

    x = np.linspace(-4, 4, 161)
    p, q = gaussian_mixtures.TARGETS["two_modes"][1], Mixture.from_means([0.5], 1.2)
    on_p, on_q = p.log_density(x[:, None]), q.log_density(x[:, None])
    optimal = density_comparison.compute_optimal_discriminator(on_p, on_q)
    lines = {"data p": (x, np.exp(on_p)), "generated q": (x, np.exp(on_q)), "D = p / (p + q)": (x, optimal)}
    js = density_comparison.integrate_jensen_shannon(p, q)
    caption = f"The optimal discriminator of two known densities. Jensen-Shannon divergence: {js:.3f} nats."
    return Figure(render_lines(lines, "x", "density, and D(x)"), caption)


def draw_divergences() -> Figure:
    from core.mechanisms.gaussian_mixtures import Mixture

    x = np.linspace(-6, 6, 161)
    target = Mixture.from_means([-2.0, 2.0], [0.8, 0.6], [0.6, 0.4])
    lines = {"data p": (x, np.exp(target.log_density(x[:, None])))}
    values = []
    for divergence, label in (("forward", "KL(p ‖ q)"), ("reverse", "KL(q ‖ p)")):
        mean, deviation = (quantities.fitted_gaussian(divergence, value) for value in ("mean", "deviation"))
        fit = Mixture.from_means([mean], deviation)
        lines[f"q by {label}"] = x, np.exp(fit.log_density(x[:, None]))
        values.append(f"by {label} mean {mean:.2f}, standard deviation {deviation:.2f}".replace("-", "−"))
    return Figure(render_lines(lines, "x", "density"), f"One Gaussian q fitted to two modes: {'; '.join(values)}.")


def draw_losses() -> Figure:
    d = np.linspace(0.02, 0.98, 97)
    lines = {"minimax: log(1 − D)": (d, np.log(1 - d)), "non-saturating: −log D": (d, -np.log(d))}
    caption = "The generator's loss by D(G(z)). Where D is near 0 only the non-saturating loss is steep."
    return Figure(render_lines(lines, "D(G(z))", "nats", from_zero=False), caption)


# Step of the tour -> its figure
FIGURES: dict[str, Callable[[], Figure]] = {
    "unsupervised": draw_families,
    "features": draw_features,
    "linear": draw_reconstructions,
    "documents": draw_documents,
    "labels": draw_labels,
    "code-ae": draw_autoencoder_training,
    "generative": draw_samples,
    "random": draw_random_codes,
    "outputs": draw_output_distribution,
    "naive": draw_contributing_pairs,
    "encoder": draw_bound,
    "reparameterization": draw_variance_ratio,
    "manifold": draw_plane,
    "demos": draw_face_sliders,
    "code-vae": draw_vae_training,
    "gan": draw_game,
    "revisited": draw_pulled_samples,
    "adversarial": draw_optimal_discriminator,
    "versus": draw_divergences,
    "objective": draw_losses,
    "code-gan": draw_gan_training,
}


def _make_picture(pixels: np.ndarray, alt: str, title: str = "") -> str:
    data = base64.b64encode(montages.encode_png(pixels)).decode()
    heading = f"<b>{escape(title)}</b>" if title else ""
    return f'<span class="picture">{heading}<img alt="{escape(alt)}" src="data:image/png;base64,{data}"></span>'


def _make_strips(strips: Sequence[tuple[str, np.ndarray]], run: Run, columns: int = _SHOWN) -> str:
    """Rows of images of a run's shape, each with its title."""
    sheet = montages.make_titled_montage(strips, tuple(run.environment["image_shape"]), columns, cell=56)
    return _make_picture(sheet, ", ".join(title for title, _ in strips))
