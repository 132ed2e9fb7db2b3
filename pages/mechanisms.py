"""Concept demos: the lecture's ideas as live experiments, one at a time."""

import streamlit as st

from pages.ui.mechanisms import (
    divergences,
    elbo,
    gan_game,
    gradient_estimators,
    linear_ae_loss,
    naive_sampling,
    output_distributions,
    random_codes,
    vae_vs_gan,
)
from pages.ui.shared import experiment, header, page_state

# experiment in the address -> (label, what draws it)
EXPERIMENTS = {
    "generator": ("Output distributions", output_distributions.draw),
    "codes": ("AE as generator", random_codes.draw),
    "naive": ("Naive sampling", naive_sampling.draw),
    "elbo": ("ELBO", elbo.draw),
    "gradients": ("Reparameterization", gradient_estimators.draw),
    "similarity": ("Divergences", divergences.draw),
    "players": ("GAN game", gan_game.draw),
    "versus": ("VAE v. GAN", vae_vs_gan.draw),
    "linear": ("Linear AE and PCA", linear_ae_loss.draw),
}

header.begin_page("pages/mechanisms.py")
problems: list[str] = []
st.title("Concept demos", anchor=False)
labels = {name: label for name, (label, _) in EXPERIMENTS.items()}
name = page_state.choose("experiment", "Demo", labels, problems, label_visibility="collapsed")
notices = st.container()
page_state.forget(f"{other}." for other in EXPERIMENTS if other != name)
with header.show_errors(), experiment.lay_out():
    EXPERIMENTS[name][1](experiment.Controls(name, problems))
with notices:
    page_state.show_problems(problems)
header.end_page()
