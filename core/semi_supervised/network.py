"""A fully connected network trained on the labelled rows, from scratch or from an autoencoder's encoder."""

import copy

from sklearn.utils import check_random_state

from core.nn.augment import add_noise
from core.semi_supervised.base import AveragedClassifier, find_labelled


class NetworkClassifier(AveragedClassifier):
    """Multi-layer network with input noise and dropout, trained on the labelled rows only.

    Its hidden layers are those of an autoencoder's encoder, from random weights or those of `pretrained`. All else is
    equal, so that a difference is due to the pre-training.

    Parameters
    ----------
    pretrained : fitted `core.methods.ae.Autoencoder` with network=mlp, or None.
    width, layers, activation : hidden layers from scratch, as in `core.methods.ae.Autoencoder`.
    steps : optimizer steps. With few labelled rows epochs are short, so the budget is not a number of epochs.
    batch_size : labelled rows in a step, at most all of them.
    learning_rate, weight_decay : see `core.nn.training.Plan`.
    noise : standard deviation of the normal noise on the rows in training.
    dropout : share of the hidden units dropped in training (Srivastava et al. 2014).
    average : decay per step of the running average of the weights.
    random_state : int, RandomState or None

    References
    ----------
    Hinton and Salakhutdinov 2006, Reducing the dimensionality of data with neural networks, Science 313.
    Polyak and Juditsky 1992, Acceleration of stochastic approximation by averaging.
    """

    PARAMS, FIRST = (), "pretrained"
    CONTEXT = (
        {"pretrained": None, "width": 1000, "layers": 3, "activation": "relu", "steps": 2000, "batch_size": 100}
        | {"learning_rate": 0.003, "weight_decay": 0.01, "noise": 0.3, "dropout": 0.5, "average": 0.99}
        | {"random_state": None}
    )
    players = {"classifier": ("classifier",)}

    def fit(self, X, y, **watches):
        """Train on the labelled rows of X, see `core.semi_supervised.base.SemiSupervisedClassifier.fit`."""
        from core.nn import training

        X = self._validated(X, reset=True)
        rows, self.classes_, y = find_labelled(X, y)
        X = X[rows]
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        self.networks_ = self._networks(X.shape[1], seed)
        batch_size = min(self.batch_size, len(y))
        epochs = max(1, round(self.steps / (len(y) // batch_size)))
        rates = {"learning_rate": self.learning_rate, "weight_decay": self.weight_decay}
        plan = training.Plan(epochs=epochs, batch_size=batch_size, seed=seed, **rates)
        parts = self.networks_, self.players, self.train_step, X, plan
        self.history_, self.environment_ = training.train(*parts, y=y, after_step=self.after_step, **watches)
        return self

    def _build(self, n_features: int):
        from torch import nn

        from core.nn.compute_cost import hidden_sizes
        from core.nn.networks import mlp

        if self.pretrained is None:
            sizes = hidden_sizes(self.width, self.layers)
            hidden, n_codes = mlp([n_features, *sizes, len(self.classes_)], self.activation)[:-1], sizes[-1]
        else:
            encoder = copy.deepcopy(self.pretrained.networks_["encoder"])
            hidden, n_codes = encoder[:-1], encoder[-1].in_features
        classifier = nn.Sequential(*hidden, nn.Linear(n_codes, len(self.classes_)))
        return nn.ModuleDict({"classifier": classifier, "averaged": copy.deepcopy(classifier)})

    def train_step(self, networks, player, x, generator, progress, y):
        """Return the mean cross entropy, in nats a row."""
        import torch
        from torch.nn.functional import cross_entropy

        classifier = networks["classifier"]
        x = add_noise(x, self.noise, generator)
        for layer in classifier[:-1]:
            x = layer(x)
            if self.dropout and not list(layer.parameters()):  # an activation
                kept = torch.rand(x.shape, generator=generator) >= self.dropout
                x = x * (kept / (1 - self.dropout)).to(x)
        return {"loss": cross_entropy(classifier[-1](x).float(), y)}


BUILDERS = dict.fromkeys(
    ("network", "fine_tuned"),
    lambda settings, pretrained, seed: NetworkClassifier(pretrained, **settings, random_state=seed),
)
