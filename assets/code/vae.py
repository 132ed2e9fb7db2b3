"""A variational autoencoder of handwritten digits with two latent dimensions."""

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.distributions import Bernoulli, Normal, kl_divergence

EPOCHS = 100
BETA = 1.0
torch.manual_seed(0)
images = torch.tensor(load_digits().images, dtype=torch.float32)[:, None] / 16
train, test = images[:1400], images[1400:].bernoulli()  # grey: probability of white

encoder = nn.Sequential(
    *(nn.Conv2d(1, 32, 3, stride=2, padding=1), nn.ReLU()),
    *(nn.Conv2d(32, 64, 3, stride=2, padding=1), nn.ReLU()),
    *(nn.Flatten(), nn.Linear(256, 2 * 2)),
)
decoder = nn.Sequential(
    *(nn.Linear(2, 256), nn.ReLU(), nn.Unflatten(1, (64, 2, 2))),
    *(nn.ConvTranspose2d(64, 32, 4, stride=2, padding=1), nn.ReLU()),
    nn.ConvTranspose2d(32, 1, 4, stride=2, padding=1),
)
optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=0.002)


def loss(x, beta=1.0):
    mean, log_deviation = encoder(x).chunk(2, 1)
    q = Normal(mean, log_deviation.exp())
    z = q.rsample()  # mean + deviation * epsilon: gradients pass
    log_likelihood = Bernoulli(logits=decoder(z)).log_prob(x).sum((1, 2, 3))
    return (beta * kl_divergence(q, Normal(0, 1)).sum(1) - log_likelihood).mean()


history = []
for epoch in range(EPOCHS):
    for x in train[torch.randperm(len(train))].bernoulli().split(64):
        optimizer.zero_grad()
        loss(x, BETA).backward()
        optimizer.step()
    bounds = {"loss": loss(train.bernoulli()).item(), "test_loss": loss(test).item()}
    history.append({"epoch": epoch + 1, **bounds})  # -ELBO in nats per image
    print(history[-1])

quantiles = Normal(0, 1).icdf((torch.arange(10) + 0.5) / 10)
plane = torch.cartesian_prod(-quantiles, quantiles).flip(1)
pictures = {
    "Test images, binary": test[:10],
    "Reconstructions": decoder(encoder(test[:10])[:, :2]).sigmoid(),
    "Samples from the prior": decoder(torch.randn(10, 2)).sigmoid(),
    "The plane of codes": decoder(plane).sigmoid(),
}
