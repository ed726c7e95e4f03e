"""A classifier of digits: it labels what a model generates, and gives it features."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from jensengap import convnets, data, train


class Classifier(nn.Module):
    """Two convolutions, a layer of features, and a linear map to the classes.

    Args:
        num_features: size of the last hidden layer.
        num_classes: how many classes there are.
    """

    def __init__(self, num_features: int = 64, num_classes: int = 10) -> None:
        super().__init__()
        self.features = nn.Sequential(convnets.from_image(num_features), nn.ReLU())
        self.head = nn.Linear(num_features, num_classes)

    def forward(self, x: Float[Tensor, "n d"]) -> Float[Tensor, "n c"]:
        """Return the classes' log-odds."""
        return self.head(self.features(x))

    @torch.no_grad()
    def predict(self, x: Float[Tensor, "n d"]) -> Int[Tensor, "n"]:
        """Return the most probable class of each image."""
        return self(x).argmax(1)


def fit_classifier(
    model: Classifier,
    images: Float[Tensor, "n d"],
    labels: Int[Tensor, "n"],
    *,
    num_epochs: int,
    max_rate: float = 4e-3,
    batch_size: int = 50,
) -> train.History:
    """Minimise the cross-entropy on images that are shifted by up to two pixels.

    Args:
        model: changed in place.
        images: intensities in [0, 1], 784 pixels each.
        labels: the class of each.
        num_epochs: passes over the images.
        max_rate: the learning rate at the schedule's peak.
        batch_size: images a step; a whole batch is shifted alike.

    Returns:
        Epoch means of ``loss``, nats an image.

    Raises:
        ValueError: ten steps or fewer, too few for the schedule.
    """
    num_steps = num_epochs * -(-len(images) // max(batch_size, 1))
    if num_steps <= 10:
        raise ValueError(
            "the schedule needs more than 10 steps, got "
            f"{len(images)} images and {num_steps} steps; raise num_epochs"
        )
    adam = torch.optim.Adam(model.parameters(), max_rate, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        adam, max_rate, total_steps=num_steps, pct_start=0.2
    )
    side = convnets.SIDE

    def step(rows: Tensor) -> tuple[Tensor, train.Terms]:
        # the digits' margin is four pixels wide: what is rolled round is empty
        shift = torch.randint(-2, 3, (2,)).tolist()
        moved = images[rows].reshape(-1, side, side).roll(shift, (1, 2)).flatten(1)
        return cross_entropy(model(moved), labels[rows]), {}

    return train.fit(
        lambda: data.batches(len(images), batch_size),
        train.Player("loss", step, adam, schedule),
        num_epochs,
    )
