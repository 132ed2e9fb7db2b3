"""The picture of semi-supervised classification: two stages, and the errors that they lead to."""

import streamlit as st

from core import semi_supervised
from core.semi_supervised import results, statistics
from pages.ui.shared import html_blocks, stored_runs
from pages.ui.shared.experiment import Controls
from pages.ui.shared.text import Markup, html
from pages.ui.tour.pictures import pipeline

_DATA = "mnist"
_BASELINE, _TUNED = "network", "fine_tuned"
_SHOWN = (_BASELINE, "ae", _TUNED)
_COUNTS = (100, 600, 1000, 3000)
_SHAPE = (28, 28)


def draw_stages(controls: Controls) -> str:
    """The two stages of training, and the test errors; the control chooses the number of labels."""
    n = controls.choose_value("labels", "Labelled images", _COUNTS, _COUNTS[0])
    picture, finding = _make_picture(n)
    st.html(picture)
    return finding


@st.cache_resource(max_entries=4, show_spinner=False)
def _make_picture(n: int) -> tuple[Markup, str]:
    run = stored_runs.find_shipped(_DATA, "ae", 10)
    images, rebuilt = (run.views[view][:6] for view in ("originals", "reconstructions"))
    encoder = pipeline.make_network(pipeline.ENCODER, "encoder", r"\text{enc}_\phi")
    features = pipeline.make_block('<div class="hg-unit">z</div>', "features")
    stages = {
        "1. Autoencoder on all images, without labels": (
            pipeline.make_images(images, _SHAPE, 3, f"{run.environment['n_train']:,} images"),
            encoder,
            features,
            pipeline.make_network(pipeline.DECODER, "decoder"),
            pipeline.make_images(rebuilt, _SHAPE, 3, "output x̂"),
        ),
        "2. Its encoder and a classifier on few labels": (
            pipeline.make_images(images[[2, 4]], _SHAPE, 2, f"{n:,} labelled", "L"),
            encoder,
            features,
            pipeline.make_block('<div class="hg-unit">softmax</div>', "classifier", "p_w"),
            pipeline.make_block('<div class="hg-labels">2 &nbsp; 4</div>', "labels", "y_i"),
        ),
    }
    drawn = [
        f'<div class="hg-stage"><b>{html(t)}</b>{pipeline.make_flow(*blocks)}</div>' for t, blocks in stages.items()
    ]
    errors = _read_errors()
    found = {name: statistics.estimate_error(errors[name][n], 100.0) for name in _SHOWN}
    # One scale for all numbers of labels.
    most = max(statistics.estimate_error(errors[name][min(_COUNTS)], 100.0).high for name in _SHOWN)
    bars = [(semi_supervised.get(name).label, e.mean, e.low, e.high) for name, e in found.items()]
    gap = statistics.estimate_gap(errors[_TUNED], errors[_BASELINE], n)
    ours, baseline = found[_TUNED], found[_BASELINE]
    finding = (
        f"With {n:,} labels, the fine-tuned encoder has a test error of {ours.mean:.1f}% and a network trained on the "
        f"labelled images alone one of {baseline.mean:.1f}%: a difference of {gap.mean:.1f} points (95% interval "
        f"{gap.low:.1f} to {gap.high:.1f}, {gap.n} seeds)."
    )
    about = html_blocks.make_caption("Test error", "mean over seeds, line: 95% interval")
    return Markup("".join(drawn) + about + pipeline.make_error_bars(bars, most)), finding


@st.cache_resource(max_entries=1, show_spinner=False)
def _read_errors() -> dict[str, dict[int, dict[int, float]]]:
    """Approach -> number of labels -> seed -> test error in percent, of the shipped results."""
    rows = results.read_results(_DATA, (results.SHIPPED,)).rows
    return {
        name: {n: {seed: 100 * error for seed, error in seeds.items()} for n, seeds in by_count.items()}
        for name, by_count in results.group_errors(rows).items()
        if name in _SHOWN
    }
