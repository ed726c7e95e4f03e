"""The parts of the experiment do what its results are called after."""

import pytest
import torch

from jensengap import recipes
from jensengap.experiments import meaning, recordings


def test_labels_are_the_classifiers_own_and_chunks_do_not_matter():
    torch.manual_seed(0)
    judge = recipes.Classifier()
    to_image = torch.nn.Linear(meaning.LATENT_DIM, 784)
    z, labels = meaning.labelled_codes(to_image, judge, 23, chunk=5)
    assert z.shape == (23, meaning.LATENT_DIM)
    with torch.no_grad():
        assert torch.equal(labels, judge.predict(to_image(z)))


def test_an_encoder_trained_after_the_fact_finds_the_codes():
    torch.manual_seed(0)
    to_image = torch.nn.Linear(meaning.LATENT_DIM, 784)
    net = meaning.fit_inverse(to_image, num_steps=60)
    z = torch.randn(200, meaning.LATENT_DIM)
    with torch.no_grad():
        missed = (net(to_image(z)) - z).square().mean()
    assert missed < 0.5  # 1 is what zero, the prior's mean, would miss


def test_every_recorded_accuracy_is_one_and_the_seeds_are_five_or_more():
    recording = recordings.load("latent-meaning")
    for num_epochs in {run["num_epochs"] for run in recording.runs}:
        runs = recording.where(num_epochs=num_epochs)
        assert len({run["seed"] for run in runs}) == len(runs) >= 5
    for run in recording.runs:
        for name, value in run.items():
            if name.startswith(("accuracy", "majority", "of_", "permuted", "recall")):
                assert 0 <= value <= 1
        for model in ("vae", "gan"):
            assert sum(run[f"balance_{model}"]) == pytest.approx(1)
            assert max(run[f"balance_{model}"]) == pytest.approx(
                run[f"majority_{model}"], abs=0.05
            )
