"""The steps of the tour, in the order of the lecture."""

from pages.ui.tour import steps_autoencoders, steps_gan, steps_generators, steps_vae

LECTURE = (
    "Deep Learning for Graphics: Unsupervised Learning (Mitra, Kokkinos, Guerrero, Kim, Rematas and Ritschel, "
    "Eurographics and SIGGRAPH Asia course)"
)
STEPS = (*steps_autoencoders.STEPS, *steps_generators.STEPS, *steps_vae.STEPS, *steps_gan.STEPS)
