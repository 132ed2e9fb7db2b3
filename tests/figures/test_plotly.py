"""The plotly figures hold the data they were given."""

import numpy as np

from core.figures import scatter, training_curves


def test_map_has_a_trace_for_each_class():
    points = np.array([[0.0, 1.0], [2.0, 3.0], [np.nan, 1.0], [4.0, 5.0]])
    rows = np.array([10, 11, 12, 13])
    figure = scatter.plot_scatter(points, np.array([1, 0, 1, 1]), ["a", "<b>"], rows, "light", "code")
    assert [trace.name for trace in figure.data] == ["a", "&lt;b&gt;"]
    assert (list(figure.data[1].customdata), list(figure.data[1].x)) == ([10, 13], [0, 4])
    figure = scatter.plot_scatter(points, None, [], rows, "dark", "code")
    assert [trace.name for trace in figure.data] == ["all rows"]


def test_losses_have_a_panel_a_method_and_a_line_a_term():
    vae = [{"epoch": e, "loss": 3.0 - e, "reconstruction": 2.0 - e, "kl": 1.0, "seconds": 1.0} for e in (1, 2)]
    gan = [{"epoch": 1, "discriminator_loss": 1.0, "generator_loss": 2.0, "score_real": 0.5}]
    figure = training_curves.plot_losses({"PCA": [], "VAE": vae, "GAN": gan}, "light")
    assert [a.text for a in figure.layout.annotations] == ["VAE", "GAN"]
    terms = ["loss", "reconstruction", "kl", "discriminator loss", "generator loss"]
    assert [trace.name for trace in figure.data] == terms
    assert list(figure.data[0].y) == [2.0, 1.0]
    figure = training_curves.plot_error_by_class({"PCA": {"0": 1.0, "1": 2.0}, "AE": {"0": 3.0}}, "error", "light")
    assert list(figure.data[0].y) == [1.0, 2.0]
    assert list(figure.data[1].x) == ["0"]
