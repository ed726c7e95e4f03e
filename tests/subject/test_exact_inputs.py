"""Yardsticks take correlated Gaussians and certain pixels, and refuse the rest."""

import math

import numpy as np
import pytest
import torch
from torch.distributions import (
    Bernoulli,
    Independent,
    Laplace,
    MultivariateNormal,
    Normal,
)

from jensengap import divergences, exact, nets
from jensengap.divergences import Estimate

F64 = {"dtype": torch.float64}
FACTOR = torch.tensor([[1.0, 0.0], [-0.8, 0.3]], **F64)
PROBS = torch.tensor([[1.0, 0.0, 0.4], [0.5, 0.5, 1.0]], **F64)


@pytest.fixture
def model():
    torch.manual_seed(0)
    return exact.LinearGaussian(torch.randn(3, 2, **F64), torch.randn(3, **F64), 0.6)


def test_the_reconstruction_of_a_correlated_q_is_what_its_draws_average(model):
    torch.manual_seed(1)
    x, q = (
        torch.randn(3, **F64),
        MultivariateNormal(torch.ones(2, **F64), scale_tril=FACTOR),
    )
    closed = model.reconstruction(x, q)
    sampled = model.likelihood(q.sample((20_000,))).log_prob(x)
    mean, stderr = Estimate.of(sampled)
    assert abs(mean - closed) < 4 * stderr
    # and its correlation is no small matter: as a diagonal it would be another number
    plain = model.reconstruction(x, nets.gaussian(q.mean, q.stddev))
    assert abs(mean - plain) > 4 * stderr


def test_the_elbo_of_the_exact_posterior_with_its_covariance_is_the_evidence(model):
    x = torch.randn(4, 3, **F64)
    q = model.posterior(x)
    prior = nets.gaussian(torch.zeros(2, **F64), 1.0)
    elbo = model.reconstruction(x, q) - divergences.kl(q, prior)
    torch.testing.assert_close(elbo, model.evidence().log_prob(x), rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    "q", [Normal(torch.zeros(2), 1.0), Independent(Laplace(torch.zeros(2), 1.0), 1)]
)
def test_the_reconstruction_of_what_is_no_gaussian_vector_is_refused(model, q):
    with pytest.raises(ValueError, match=r"^q must be a Gaussian vector, got"):
        model.reconstruction(torch.zeros(3, **F64), q)


@pytest.mark.parametrize(
    ("method", "wrong", "said"),
    [
        ("likelihood", torch.zeros(3, **F64), r"z must hold vectors of length 2"),
        ("posterior", torch.zeros(4, **F64), r"x must hold vectors of length 3"),
        ("posterior", torch.zeros(3), r"x must be torch\.float64"),
        ("posterior", torch.zeros(3).long(), r"x must hold floating-point"),
        ("posterior", torch.tensor(0.0, **F64), r"x must have the shape"),
    ],
)
def test_vectors_of_another_length_or_kind_are_refused(model, method, wrong, said):
    with pytest.raises(ValueError, match=f"^{said}"):
        getattr(model, method)(wrong)


def test_parts_that_do_not_fit_each_other_are_refused(model):
    with pytest.raises(ValueError, match=r"^bias must hold vectors of length 3"):
        model._replace(bias=torch.zeros(2, **F64)).evidence()
    with pytest.raises(ValueError, match=r"^weight must be float32 or float64"):
        exact.LinearGaussian(
            torch.zeros(3, 2).half(), torch.zeros(3).half(), 0.5
        ).evidence()
    with pytest.raises(ValueError, match=r"^scale must be one number"):
        model._replace(scale="wide").evidence()


def rank_deficient(seed, dtype, far):
    generator = torch.Generator().manual_seed(seed)
    left = torch.randn(60, 3, generator=generator, **F64)
    right = torch.randn(3, 8, generator=generator, **F64)
    return (left @ right + far).to(dtype)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_data_without_noise_are_refused_whatever_rounding_leaves(seed, dtype):
    x = rank_deficient(seed, dtype, 0.0)
    for latent_dim in (3, 4, 7):
        with pytest.raises(ValueError, match=f"more than {latent_dim} directions, got"):
            exact.probabilistic_pca(x, latent_dim)
    # a direction is left to the noise, or the noise is given
    assert exact.probabilistic_pca(x, 2).scale > 0.01
    assert exact.probabilistic_pca(x, 3, scale=0.1).scale == 0.1


@pytest.mark.parametrize("seed", range(5))
def test_faint_noise_is_found_and_not_refused(seed):
    x = rank_deficient(seed, torch.float64, 0.0)
    x = x + 1e-4 * torch.randn(60, 8, **F64)
    model = exact.probabilistic_pca(x, 3)
    # of 57 free examples in 5 directions, divided by 60
    assert model.scale == pytest.approx(1e-4, rel=0.2)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_data_that_are_not_finite_are_refused(bad):
    x = torch.randn(9, 4, **F64)
    x[3, 2] = bad
    with pytest.raises(ValueError, match=f"^x must be finite, got {bad}: 1 of 36"):
        exact.probabilistic_pca(x, 2)


def test_a_number_of_latents_of_any_library_is_taken():
    x = torch.randn(9, 4, **F64)
    wanted = exact.probabilistic_pca(x, 2)
    found = exact.probabilistic_pca(x, np.int64(2), scale=np.float32(0.5))
    assert found.weight.shape == wanted.weight.shape
    assert type(found.scale) is float


def images():
    return torch.cartesian_prod(*[torch.tensor([0.0, 1.0], **F64)] * 3)


def test_certain_pixels_of_a_mixture_are_those_of_the_definition():
    mixture = exact.BernoulliMixture(torch.tensor([0.3, 0.7], **F64), PROBS)
    x = images()
    on = torch.where(x[:, None] == 1, PROBS, 1 - PROBS).prod(-1)  # (8, 2)
    wanted = on @ mixture.weights
    torch.testing.assert_close(mixture.log_evidence(x).exp(), wanted)
    assert abs(wanted.sum() - 1) < 1e-15
    possible = wanted > 0
    assert 0 < possible.sum() < 8
    posterior = mixture.posterior(x[possible])
    joint = (on * mixture.weights)[possible].T
    torch.testing.assert_close(posterior, joint / joint.sum(0))
    with pytest.raises(ValueError, match=r"^x must have a probability under some"):
        mixture.posterior(x)


def test_a_component_without_weight_never_generates():
    mixture = exact.BernoulliMixture(torch.tensor([0.0, 1.0], **F64), PROBS)
    wanted = Independent(Bernoulli(torch.tensor([0.5, 0.5, 0.9], **F64)), 1)
    mixture = mixture._replace(
        probs=torch.stack([PROBS[0], wanted.mean]),
    )
    torch.testing.assert_close(
        mixture.log_evidence(images()), wanted.log_prob(images())
    )
    assert (mixture.posterior(images())[0] == 0).all()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"weights": torch.tensor([0.3, 0.6], **F64)}, "sum to one"),
        ({"weights": torch.tensor([1.3, -0.3], **F64)}, "not be negative"),
        ({"weights": torch.ones(3, **F64) / 3}, "must fit each other"),
        ({"probs": PROBS * 1.1}, r"probs must be in \[0, 1\]"),
        ({"probs": PROBS * math.nan}, r"probs must be in \[0, 1\]"),
        ({"probs": PROBS[0]}, "must fit each other"),
        ({"probs": PROBS[:, :2]}, "must fit each other"),
    ],
)
def test_a_mixture_that_is_none_is_refused(change, said):
    mixture = exact.BernoulliMixture(torch.tensor([0.3, 0.7], **F64), PROBS)
    for method in ("log_joint", "log_evidence", "posterior"):
        with pytest.raises(ValueError, match=said):
            getattr(mixture._replace(**change), method)(images())


def test_the_best_discriminator_takes_tables_of_one_shape():
    with pytest.raises(ValueError, match=r"^log_q must have the shape"):
        exact.optimal_discriminator(torch.zeros(3), torch.zeros(4))
