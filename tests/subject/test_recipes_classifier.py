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


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"labels": torch.full((40,), 10)}, "labels must be from 0 to 9.*got 10 to 10"),
        ({"labels": torch.full((40,), -100)}, "labels must be from 0 to 9.*got -100"),
        ({"labels": torch.zeros(39).long()}, r"labels must have the shape .* n = 40"),
        ({"labels": torch.zeros(40, 1).long()}, "labels must have the shape"),
        ({"labels": torch.zeros(40)}, "labels must hold whole numbers.*call .long"),
        ({"images": torch.rand(40, 64)}, r"images must have the shape \(n, 784\)"),
        ({"images": torch.rand(40, 28, 28)}, r"x.flatten\(1\)"),
        (
            {"images": torch.full((40, 784), torch.nan)},
            "images must be finite, got nan",
        ),
        ({"images": 255 * torch.ones(40, 784)}, "images must lie in .*unit_pixels"),
        ({"max_rate": 0.0}, "fit_classifier needs.* and 0.0"),
        ({"max_rate": float("inf")}, "finite max_rate, got .* and inf"),
        ({"batch_size": 0}, "fit_classifier needs.*, 0 and"),
        ({"num_epochs": 0}, "fit_classifier needs.*, 0, 2 and"),
    ],
)
def test_what_cannot_be_learned_is_refused_before_anything_moves(wrong, message):
    model = recipes.Classifier(4)
    before = [p.clone() for p in model.parameters()]
    given = {"images": torch.rand(40, 784), "labels": torch.arange(40) % 10}
    settings = {"num_epochs": 1, "batch_size": 2}
    with pytest.raises(ValueError, match=message):
        recipes.fit_classifier(model, **given | settings | wrong)
    pairs = zip(model.parameters(), before, strict=True)
    assert all(torch.equal(p, b) for p, b in pairs)


@pytest.mark.parametrize("dtype", [torch.int64, torch.int32, torch.int16])
def test_labels_may_be_of_any_whole_kind_and_the_model_of_its_own_dtype(dtype):
    torch.manual_seed(0)
    model = recipes.Classifier(4, num_classes=3).double()
    labels = (torch.arange(40) % 3).to(dtype)
    history = recipes.fit_classifier(
        model, torch.rand(40, 784), labels, num_epochs=1, batch_size=2
    )
    assert len(history["loss"]) == 1
    assert model.head.weight.dtype == torch.float64


def test_predictions_are_of_rows_of_784_pixels():
    model = recipes.Classifier(4)
    with pytest.raises(ValueError, match=r"x\[None\] adds an axis for one example"):
        model.predict(torch.rand(784))
    with pytest.raises(ValueError, match=r"x must have the shape \(n, 784\)"):
        model(torch.rand(5, 64))


def test_it_follows_its_device():
    model = recipes.Classifier(4).to("meta")
    found = model.predict(torch.rand(5, 784, device="meta"))
    assert (found.device.type, found.shape) == ("meta", (5,))
