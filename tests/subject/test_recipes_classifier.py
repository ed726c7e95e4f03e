"""The classifier learns the digits, and refuses what it cannot learn from."""

import pytest
import torch

from jensengap import data, recipes
from jensengap.data import embedded


def test_it_learns_what_it_is_shown_and_shifts_do_not_hurt():
    torch.manual_seed(0)
    digits = embedded.mnist_5k("train")
    x, labels = data.unit_pixels(digits.pixels[:200]), digits.labels[:200]
    model = recipes.Classifier(16)
    history = recipes.fit_classifier(model, x, labels, num_epochs=30, batch_size=20)
    assert history["loss"][-1] < 0.5 < history["loss"][0]
    assert (model.predict(x) == labels).float().mean() > 0.9
    moved = x.reshape(-1, 28, 28).roll((2, -1), (1, 2)).flatten(1)
    assert (model.predict(moved) == labels).float().mean() > 0.8
    assert model.features(x).shape == (200, 16)
    torch.testing.assert_close(model.head(model.features(x)), model(x))


def test_ten_steps_are_too_few_for_the_schedule():
    model, x = recipes.Classifier(), torch.rand(20, 784)
    with pytest.raises(
        ValueError, match="more than 10 steps, got 10; raise num_epochs"
    ):
        recipes.fit_classifier(model, x, torch.zeros(20).long(), num_epochs=10)
