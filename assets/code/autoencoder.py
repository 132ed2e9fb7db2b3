"""An autoencoder of handwritten digits with 10 latent dimensions."""

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.distributions import MultivariateNormal

EPOCHS = 100
torch.manual_seed(0)
images = torch.tensor(load_digits().images, dtype=torch.float32)[:, None] / 16
train, test = images[:1400], images[1400:]

encoder = nn.Sequential(
    *(nn.Conv2d(1, 32, 3, stride=2, padding=1), nn.ReLU()),
    *(nn.Conv2d(32, 64, 3, stride=2, padding=1), nn.ReLU()),
    *(nn.Flatten(), nn.Linear(256, 10)),
)
decoder = nn.Sequential(
    *(nn.Linear(10, 256), nn.ReLU(), nn.Unflatten(1, (64, 2, 2))),
    *(nn.ConvTranspose2d(64, 32, 4, stride=2, padding=1), nn.ReLU()),
    *(nn.ConvTranspose2d(32, 1, 4, stride=2, padding=1), nn.Sigmoid()),
)
optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=0.002)


def loss(x):
    return (decoder(encoder(x)) - x).square().sum((1, 2, 3)).mean()


history = []
for epoch in range(EPOCHS):
    for x in train[torch.randperm(len(train))].split(64):
        optimizer.zero_grad()
        loss(x).backward()
        optimizer.step()
    losses = {"loss": loss(train).item(), "test_loss": loss(test).item()}
    history.append({"epoch": epoch + 1, **losses})
    print(history[-1])

codes = encoder(train)
gaussian = MultivariateNormal(codes.mean(0), codes.T.cov())
start, end = encoder(test[:2])
shares = torch.linspace(0, 1, 10)[:, None]
pictures = {
    "Test images": test[:10],
    "Reconstructions": decoder(encoder(test[:10])),
    "Between two codes": decoder(torch.lerp(start, end, shares)),
    "Random codes from a fitted Gaussian": decoder(gaussian.sample((10,))),
}
