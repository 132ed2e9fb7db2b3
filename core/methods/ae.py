"""Autoencoder: min |x - dec(enc(x))|^2 through a narrow code."""

from __future__ import annotations

import numpy as np
from sklearn.utils.validation import check_is_fitted

from core.methods import base
from core.types import DOCUMENTS, IMAGES, Param


def _cross_entropy(counts, logits):
    """-sum of p ln softmax(logits), in nats a word, p being a document's word shares: (batch, n_words) -> (batch,)."""
    shares = counts / counts.sum(1, keepdim=True).clamp(min=1)
    return -(shares * logits.log_softmax(1)).sum(1)


class Autoencoder(base.NetworkTransformer):
    """Deep autoencoder with a code of `n_components` numbers.

    Images are rebuilt by squared error through a sigmoid, documents as word probabilities by cross entropy, a mean over
    documents of nats a word. Codes of documents are standardised by the batch statistics of training, where words are
    hidden; so they have only about mean 0, variance 1.

    Parameters
    ----------
    n_components : int, size of the code.
    network : {"mlp", "conv"}
    width, layers : widest hidden layer, and how many; each is half as wide as the one before. A convolutional
        network has width / 8 channels in its last convolution and `layers` convolutions of stride 2.
    activation : {"relu", "silu"}, of fully connected layers; relu learns faster, silu ends a little lower.
    augment : share of every batch of images that is turned, scaled and shifted at random, off for the last tenth.
    noise : standard deviation of the normal noise that the encoder's images have in training, which the decoder is to
        rebuild without it (Vincent et al. 2008); pixels run from 0 to 1.
    weighting : {"tfidf", "log", "counts"}, of the word counts the encoder is given; as LSA's.
    word_dropout : share of each document's words hidden from the encoder in training (Vincent et al. 2008), which the
        decoder is to foretell with the others: what helps to foretell them is what the document is about.
    epochs, max_seconds, batch_size, learning_rate, weight_decay : the training, see `core.training.Plan`.
    output : {"sigmoid", "linear"}, for images: values in [0, 1], or any.
    kind : {"images", "documents"}
    image_shape : (height, width) in pixels, or None.
    random_state : int, RandomState or None

    References
    ----------
    Hinton and Salakhutdinov 2006, Reducing the dimensionality of data with neural networks, Science 313.
    Vincent, Larochelle, Bengio and Manzagol 2008, Extracting and composing robust features with denoising autoencoders.
    """

    players = {"autoencoder": ("encoder", "decoder")}

    def __init__(
        self,
        n_components=10,
        *,
        network="mlp",
        width=512,
        layers=3,
        activation="relu",
        augment=0.0,
        noise=0.0,
        weighting="tfidf",
        word_dropout=0.5,
        epochs=20,
        max_seconds=0.0,
        batch_size=512,
        learning_rate=0.01,
        weight_decay=0.01,
        output="sigmoid",
        kind=IMAGES,
        image_shape=None,
        random_state=None,
    ):
        self.n_components = n_components
        self.network = network
        self.width = width
        self.layers = layers
        self.activation = activation
        self.augment = augment
        self.noise = noise
        self.weighting = weighting
        self.word_dropout = word_dropout
        self.epochs = epochs
        self.max_seconds = max_seconds
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.output = output
        self.kind = kind
        self.image_shape = image_shape
        self.random_state = random_state

    def _plan(self):
        return {"weight_decay": self.weight_decay}

    def _build(self, n_features: int):
        from torch import nn

        from core.networks import Shape

        shape = Shape(self.network, self.width, self.layers, self.activation, self.image_shape)
        encoder = self._encoder(shape, n_features, self.n_components)
        if self.kind == DOCUMENTS:
            # Cosines of codes, by which documents are retrieved, mean little where all codes lie off to one side.
            encoder.append(nn.BatchNorm1d(self.n_components, affine=False))
        return nn.ModuleDict(
            {
                "encoder": encoder,
                "decoder": shape.decoder(self.n_components, n_features),
            }
        )

    def _output(self, logits):
        if self.kind == DOCUMENTS:
            return logits.softmax(1)
        return logits.sigmoid() if self.output == "sigmoid" else logits

    def train_step(self, networks, player, x, generator, progress):
        """Mean over images of the squared error, summed over pixels, or over documents of the nats a word."""
        x = self._augmented(x, generator, progress)
        seen = self._noisy(self._words_hidden(x, generator), generator)
        out = networks["decoder"](networks["encoder"](seen)).float()
        if self.kind == DOCUMENTS:
            return {"loss": _cross_entropy(x, out).mean()}
        return {"loss": (self._output(out) - x).square().sum(1).mean()}

    def _noisy(self, x, generator):
        import torch

        if self.kind == DOCUMENTS or not self.noise:
            return x
        return x + self.noise * torch.randn(x.shape, generator=generator).to(x.device)

    def transform(self, X) -> np.ndarray:
        """Codes of the rows of X: (n_samples, n_components) float32."""
        check_is_fitted(self)
        return self._map(self.networks_["encoder"], self._validated(X, reset=False))

    def inverse_transform(self, Z) -> np.ndarray:
        """Rows rebuilt from codes: (n_samples, n_features), pixels in [0, 1] or word probabilities."""
        return self._map(lambda z: self._output(self.networks_["decoder"](z)), self._codes(Z))


METHOD = base.declare(
    Autoencoder,
    name="ae",
    label="AE",
    kinds=(IMAGES, DOCUMENTS),
    summary="Deep autoencoder: non-linear encoder and decoder around a narrow code.",
    params=(
        base.n_components(),
        *base.architecture(),
        base.AUGMENT,
        Param(
            "noise",
            0.0,
            (0.0, 10.0),
            "Standard deviation of the normal noise on the pixels the encoder sees in training; 0: none.",
            (IMAGES,),
            implied=True,
        ),
        base.WEIGHTING,
        base.WORD_DROPOUT,
        *base.training_params(epochs=20, learning_rate=0.01),
        base.WEIGHT_DECAY,
    ),
    version=1,
    loss_unit={IMAGES: "squared error an image", DOCUMENTS: "nats a word, mean over documents"},
)
