"""Known training failures found in runs, each with a link to the concept demo of its cause."""

from collections.abc import Sequence

import streamlit as st

from core.analysis import diagnostics
from core.types import Run
from pages.ui.shared.text import plain

# Offered by the demo of posterior collapse.
BETAS = (0.1, 0.2, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 100.0)
# kind -> label and address of the concept demo that shows the cause
_EXPERIMENTS = {
    diagnostics.COLLAPSE: (
        "How beta collapses dimensions of a linear VAE",
        {"experiment": "elbo", "elbo.show": "collapse"},
    ),
    diagnostics.LOST_CLASSES: ("How a GAN loses modes", {"experiment": "players"}),
}


def draw(label: str, run: Run) -> None:
    """Draw the findings of one run, if there are any."""
    draw_findings(label, diagnostics.diagnose(run), run.key, run.spec.param("beta"))


def draw_findings(label: str, findings: Sequence[diagnostics.Finding], key: str, beta: float | None = None) -> None:
    """Draw one line a finding, with a link to the concept demo, which opens at `beta`."""
    for finding in findings:
        with st.container(key=f"finding-{key}-{finding.kind.replace(' ', '-')}", gap="small"):
            icon = ":material/warning:" if finding.is_severe else ":material/info:"
            st.markdown(f"{icon} **{plain(label)}**: {plain(finding.sentence)}")
            if finding.kind in _EXPERIMENTS:
                title, query = _EXPERIMENTS[finding.kind]
                if finding.kind == diagnostics.COLLAPSE and beta is not None:
                    nearest = min(BETAS, key=lambda offered: abs(offered - beta))
                    query = {**query, "elbo.beta": f"{nearest:g}"}
                st.page_link("pages/mechanisms.py", label=title, icon=":material/science:", query_params=query)
