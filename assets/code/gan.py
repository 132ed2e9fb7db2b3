"""A deep convolutional GAN of handwritten digits with 10 latent dimensions."""

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn.functional import softplus

EPOCHS = 150
torch.manual_seed(0)
images = torch.tensor(load_digits().images, dtype=torch.float32)[:, None] / 16
train, test = images[:1400], images[1400:]

generator = nn.Sequential(
    *(nn.Linear(10, 256), nn.Unflatten(1, (64, 2, 2)), nn.BatchNorm2d(64), nn.ReLU()),
    nn.ConvTranspose2d(64, 32, 4, stride=2, padding=1),
    *(nn.BatchNorm2d(32), nn.ReLU()),
    *(nn.ConvTranspose2d(32, 1, 4, stride=2, padding=1), nn.Sigmoid()),
)
discriminator = nn.Sequential(
    *(nn.Conv2d(1, 32, 3, stride=2, padding=1), nn.LeakyReLU(0.2)),
    *(nn.Conv2d(32, 64, 3, stride=2, padding=1), nn.LeakyReLU(0.2)),
    *(nn.Flatten(), nn.Linear(256, 1)),  # the logit of D(x)
)
player_g = torch.optim.Adam(generator.parameters(), lr=0.001, betas=(0.5, 0.999))
player_d = torch.optim.Adam(discriminator.parameters(), lr=0.0005, betas=(0.5, 0.999))


def loss_d(x, generated):
    """-log D(x) - log(1 - D(G(z))): binary cross entropy, 2 log 2 if D is 1/2."""
    return (softplus(-discriminator(x)) + softplus(discriminator(generated))).mean()


def loss_g(generated):
    """-log D(G(z)), the non-saturating loss: log 2 if D is 1/2."""
    return softplus(-discriminator(generated)).mean()


history = []
for epoch in range(EPOCHS):
    for x in train[torch.randperm(len(train))].split(64):
        generated = generator(torch.randn(len(x), 10))
        player_d.zero_grad()
        loss_d(x, generated.detach()).backward()
        player_d.step()
        player_g.zero_grad()
        loss_g(generated).backward()
        player_g.step()
    with torch.no_grad():
        generated = generator(torch.randn(len(train), 10))
        row = {
            "discriminator_loss": loss_d(train, generated),
            "generator_loss": loss_g(generated),
            "score_real": discriminator(train).sigmoid().mean(),
            "score_generated": discriminator(generated).sigmoid().mean(),
            "test_score_real": discriminator(test).sigmoid().mean(),
        }
    history.append({"epoch": epoch + 1, **{name: row[name].item() for name in row}})
    print(history[-1])

generator.eval()
start, end = torch.randn(2, 10)
shares = torch.linspace(0, 1, 10)[:, None]
pictures = {
    "Train images": train[:20],
    "Generated": generator(torch.randn(20, 10)),
    "Between two codes": generator(torch.lerp(start, end, shares)),
}
