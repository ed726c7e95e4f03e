"""What is made follows its input: to devices without values, and without float64."""

import pytest
import torch
from torch.distributions import Distribution, Independent, MultivariateNormal, Normal
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten

from jensengap import (
    bounds,
    discretized_normal,
    distances,
    divergences,
    exact,
    flows,
    gan,
    inputs,
    metrics,
    nets,
    quadrature,
    vae,
    vq,
)
from jensengap.fast import evidence

META = {"device": "meta"}


def linear():
    return exact.LinearGaussian(torch.zeros(3, 2, **META), torch.zeros(3, **META), 0.6)


def diagonal(*batch):
    zeros = torch.zeros(*batch, 2, **META)
    return Independent(Normal(zeros, torch.ones_like(zeros), validate_args=False), 1)


def full():
    return MultivariateNormal(
        torch.zeros(2, **META),
        scale_tril=torch.zeros(2, 2, **META),
        validate_args=False,
    )


def flow():
    ones = torch.ones(4, 2, **META)
    return flows.Flow(ones, ones, num_couplings=1)


# A computation where no value is there to be looked at, and the shape of its result.
ON_META = {
    "evidence": (lambda: linear().evidence().covariance_matrix, (3, 3)),
    "likelihood": (lambda: linear().likelihood(torch.zeros(5, 2, **META)).mean, (5, 3)),
    "gauss_hermite": (lambda: quadrature.gauss_hermite(diagonal(4), 3)[0], (9, 4, 2)),
    "its weights": (lambda: quadrature.gauss_hermite(diagonal(), 3)[1], (9,)),
    "gauss_hermite full": (lambda: quadrature.gauss_hermite(full(), 3)[0], (9, 2)),
    "gaussian": (lambda: nets.gaussian(torch.zeros(5, 2, **META), 0.5).stddev, (5, 2)),
    "gaussian_head": (
        lambda: nets.gaussian_head(torch.zeros(5, 4, **META)).mean, (5, 2)
    ),
    "bernoulli": (lambda: nets.bernoulli(torch.zeros(5, 2, **META)).mean, (5, 2)),
    "bernoulli_log_probs": (
        lambda: nets.bernoulli_log_probs(
            torch.zeros(5, 2, **META), torch.zeros(4, 2, **META)
        ),
        (5, 4),
    ),
    "mlp": (lambda: nets.mlp(3, 4).to("meta")(torch.zeros(5, 3, **META)), (5, 4)),
    "to_image": (
        lambda: nets.to_image(3, 2).to("meta")(torch.zeros(5, 3, **META)), (5, 784)
    ),
    "prior": (lambda: nets.StandardNormal(3).to("meta")().mean, (3,)),
    "shared scale": (
        lambda: nets.SharedScale().to("meta")(torch.zeros(5, 2, **META)).stddev, (5, 2)
    ),
    "elbo": (lambda: bounds.elbo(torch.zeros(5, 2, **META)), (2,)),
    "iwae": (lambda: bounds.iwae(torch.zeros(5, 2, **META)), (2,)),
    "renyi": (lambda: bounds.renyi(torch.zeros(5, 2, **META), 0.9), (2,)),
    "cubo": (lambda: bounds.cubo(torch.zeros(5, 2, **META)), (2,)),
    "ess": (lambda: bounds.effective_sample_size(torch.zeros(5, 2, **META)), (2,)),
    "kl": (lambda: divergences.kl(diagonal(4), diagonal()), (4,)),
    "jensen_shannon": (
        lambda: divergences.jensen_shannon(*[torch.zeros(5, **META)] * 3), ()
    ),
    "between": (lambda: distances.between(*[torch.zeros(5, 2, **META)] * 2), (5, 5)),
    "nearest": (lambda: vq.nearest(*[torch.zeros(5, 2, **META)] * 2), (5,)),
    "minimax": (lambda: gan.value(*[torch.zeros(5, **META)] * 2), ()),
    "r1": (lambda: gan.r1_penalty(lambda x: x.sum(1), torch.zeros(5, 2, **META)), ()),
    "flow": (lambda: flow()(torch.zeros(3, 4, 2, **META)).value, (3, 4, 2)),
    "levels": (
        lambda: discretized_normal.DiscretizedNormal(
            torch.zeros(3, **META), 0.5
        ).log_prob(torch.zeros(2, 3, **META)),
        (2, 3),
    ),
}  # fmt: skip


@pytest.fixture
def unchecked():
    """Switch off torch's checks of parameters, which look at values."""
    Distribution.set_default_validate_args(False)
    yield
    Distribution.set_default_validate_args(__debug__)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("name", ON_META)
def test_shapes_and_devices_follow_the_input_where_no_value_is_needed(name):
    compute, shape = ON_META[name]
    found = compute()
    assert found.device.type == "meta"
    assert tuple(found.shape) == shape


class NoFloat64(TorchDispatchMode):
    """A device as Apple's, on which an operation that makes a float64 fails."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        made = func(*args, **(kwargs or {}))
        for each in tree_flatten(made)[0]:
            if isinstance(each, torch.Tensor) and each.dtype == torch.float64:
                raise TypeError(f"{func} made a float64, which the device has not")
        return made


@pytest.fixture
def model():
    torch.manual_seed(0)
    return vae.VAE(
        nets.Conditional(nets.mlp(9, 5, 4), nets.gaussian_head),
        nets.Conditional(nets.mlp(2, 5, 9), nets.bernoulli),
        nets.StandardNormal(2),
    )


def images():
    torch.manual_seed(1)
    return torch.rand(6, 9).round()


def codes():
    torch.manual_seed(2)
    return torch.randn(40, 3)


def plane():
    return codes()[:, :2].contiguous()


# Of a model: what needs float64 for its digits where the device has it.
PRECISE = {
    "VAE.log_evidence": lambda m: m.log_evidence(images(), 50).log_p,
    "fast.log_evidence": lambda m: evidence.log_evidence(m, images(), 50).log_p,
    "VAE.terms": lambda m: m.terms(images(), 5).elbo,
    "active_units": lambda m: metrics.active_units(codes()),
    "log_aggregate": lambda m: metrics.log_aggregate(m.encode(images()), plane()),
    "rate": lambda m: metrics.rate(m.encode(images()), m.prior(), 5).information.mean,
    "mode_counts": lambda m: metrics.mode_counts(codes(), codes()[:3], 2.0),
    "precision_recall": lambda m: metrics.precision_recall(codes(), codes() + 1)[0],
    "edge_steepness": lambda m: metrics.edge_steepness(codes()[:9].reshape(3, 3, 3)),
    "nearest": lambda m: vq.nearest(codes(), codes()[:4]),
    "usage": lambda m: vq.usage(torch.tensor([0, 2, 2]), 3),
    "perplexity": lambda m: vq.perplexity(vq.usage(torch.tensor([0, 2, 2]), 3)),
    "levels": lambda m: discretized_normal.DiscretizedNormal(
        codes()[0], 0.3
    ).log_prob(torch.tensor([0.0, 0.2, 1.0])),
    "table": lambda m: exact.bernoulli_log_likelihood(m.decoder, images(), plane()),
    "gauss_hermite": lambda m: quadrature.gauss_hermite(m.encode(images()), 3)[0],
    "evidence": lambda m: exact.LinearGaussian(
        codes()[:, :2], codes()[:, 2], 0.5
    ).evidence().log_prob(codes()[:, 0]),
    "mixture": lambda m: exact.BernoulliMixture(
        torch.full((2,), 0.5), torch.full((2, 9), 0.3)
    ).log_evidence(images()),
    "probabilistic_pca": lambda m: exact.probabilistic_pca(codes(), 1).weight.abs(),
}  # fmt: skip


@pytest.mark.parametrize("name", PRECISE)
def test_a_device_without_float64_is_given_float32(name, model, monkeypatch):
    torch.manual_seed(3)
    with torch.no_grad():
        wanted = PRECISE[name](model)
    monkeypatch.setattr(inputs, "_has_float64", lambda device: False)
    torch.manual_seed(3)
    with torch.no_grad(), NoFloat64():
        found = PRECISE[name](model)
    assert found.dtype != torch.float64
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-4, check_dtype=False)


def test_the_watch_sees_a_float64():
    with pytest.raises(TypeError, match="made a float64"), NoFloat64():
        torch.zeros(2).double()
