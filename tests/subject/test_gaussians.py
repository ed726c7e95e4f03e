"""A Gaussian is read as one, with its correlations; what is none is named."""

import math

import numpy as np
import pytest
import torch
from scipy import stats
from torch.distributions import (
    Exponential,
    HalfNormal,
    Independent,
    Laplace,
    LowRankMultivariateNormal,
    MultivariateNormal,
    Normal,
    StudentT,
    Uniform,
)

from jensengap import gaussians, nets

F64 = {"dtype": torch.float64}
LOC = torch.tensor([0.5, -1.0], **F64)
COVARIANCE = torch.tensor([[2.0, 0.6], [0.6, 0.5]], **F64)


def diagonal(*batch):
    return nets.gaussian(LOC.expand(*batch, 2), torch.tensor([0.3, 2.0], **F64))


def full(*batch):
    return MultivariateNormal(LOC.expand(*batch, 2), COVARIANCE)


def low_rank(*batch):
    factor = torch.tensor([[1.0], [-0.5]], **F64)
    return LowRankMultivariateNormal(LOC.expand(*batch, 2), factor, factor[:, 0] ** 2)


class Sharper(Normal):
    """A subclass may have another density than its mean and deviation say."""


@pytest.mark.parametrize("make", [diagonal, full, low_rank])
@pytest.mark.parametrize("batch", [(), (3,), (4, 1)])
def test_the_factor_times_its_transpose_is_the_covariance(make, batch):
    q = make(*batch)
    factor = gaussians.scale_tril(q)
    covariance = getattr(q, "covariance_matrix", None)
    wanted = torch.diag_embed(q.variance) if covariance is None else covariance
    assert factor.shape == (*batch, 2, 2)
    assert (factor == factor.tril()).all()
    torch.testing.assert_close(factor @ factor.mT, wanted, rtol=0, atol=1e-14)


@pytest.mark.parametrize("make", [diagonal, full, low_rank])
def test_the_same_gaussian_written_as_one_joint_has_the_same_density(make):
    q, z = make(3), torch.linspace(-2, 2, 12, **F64).reshape(2, 3, 2)
    joint = gaussians.joint(q)
    assert isinstance(joint, MultivariateNormal)
    assert joint.batch_shape == q.batch_shape
    torch.testing.assert_close(joint.log_prob(z), q.log_prob(z), rtol=0, atol=1e-12)
    wanted = stats.multivariate_normal(
        joint.mean[0].numpy(), joint.covariance_matrix[0].numpy()
    ).logpdf(z[:, 0].numpy())
    np.testing.assert_allclose(q.log_prob(z)[:, 0], wanted, rtol=0, atol=1e-12)


def test_independent_coordinates_are_told_from_correlated_and_from_others():
    assert gaussians.is_diagonal(diagonal())
    assert not gaussians.is_diagonal(full())
    assert gaussians.is_gaussian(full())
    assert gaussians.is_gaussian(low_rank())


@pytest.mark.parametrize(
    "q",
    [
        Normal(LOC, 1.0),
        Independent(Uniform(LOC, LOC + 1), 1),
        Independent(Laplace(LOC, 1.0), 1),
        Independent(StudentT(3.0, LOC), 1),
        Independent(HalfNormal(LOC.abs()), 1),
        Independent(Sharper(LOC, 1.0), 1),
        Independent(Normal(LOC.expand(3, 2), 1.0), 2),
        Independent(Independent(Normal(LOC.expand(3, 2), 1.0), 1), 1),
    ],
    ids=gaussians.name,
)
def test_what_is_no_gaussian_vector_is_refused_with_its_name(q):
    assert not gaussians.is_gaussian(q)
    for function in (gaussians.scale_tril, gaussians.joint):
        with pytest.raises(
            ValueError, match="q must be a Gaussian vector, got"
        ) as error:
            function(q)
        assert gaussians.name(q) in str(error.value)
        assert "Independent(Normal(loc, scale), 1)" in str(error.value)


def test_a_name_shows_what_is_wrapped():
    nested = Independent(Independent(Normal(LOC.expand(3, 2), 1.0), 1), 1)
    assert gaussians.name(nested) == "Independent(Independent(Normal, 1), 1)"
    assert gaussians.name(full()) == "MultivariateNormal"


def plain(*batch):
    return Normal(torch.zeros(*batch, **F64), torch.ones(batch, **F64))


@pytest.mark.parametrize(
    ("q", "p", "cure"),
    [
        (Independent(plain(2), 1), plain(2),
         r"\(2,\) and \(\): wrap p in Independent\(p, 1\)"),
        (plain(2), Independent(plain(2), 1),
         r"\(\) and \(2,\): wrap q in Independent\(q, 1\)"),
        (Independent(plain(3, 2), 2), plain(3, 2), r"wrap p in Independent\(p, 2\)"),
        (Independent(plain(3, 2), 1), Independent(plain(3, 2), 2),
         r"make q Independent\(q\.base_dist, 2\)"),
        (Independent(plain(2), 1), Independent(plain(3), 1), "of different things"),
    ],
)  # fmt: skip
def test_event_shapes_that_differ_are_refused_with_what_to_wrap(q, p, cure):
    with pytest.raises(ValueError, match=f"^event shapes differ, .*{cure}"):
        gaussians.same_events(q, p)


def test_what_the_message_says_is_what_helps():
    q, p = Independent(plain(3, 2), 2), Independent(plain(3, 2), 1)
    with pytest.raises(ValueError, match=r"make p Independent\(p\.base_dist, 2\)"):
        gaussians.same_events(q, p)
    assert gaussians.same_events(q, Independent(p.base_dist, 2)) == ()
    assert gaussians.same_events(Independent(q.base_dist, 1), p) == (3,)


def test_batch_shapes_are_broadcast_or_refused():
    assert gaussians.same_events(plain(3, 1), plain(2)) == (3, 2)
    with pytest.raises(ValueError, match=r"got \(3,\) and \(2,\); expand one"):
        gaussians.same_events(plain(3), plain(2))


@pytest.mark.parametrize("checked", [True, False, None])
def test_a_point_outside_of_the_support_has_no_density_whatever_torch_checks(checked):
    p = Uniform(torch.zeros(2, **F64), 1.0, validate_args=checked)
    z = torch.tensor([[0.5, 2.0], [-1.0, 0.25], [math.nan, 0.5]], **F64)
    found = gaussians.log_prob(p, z)
    assert found[0].tolist() == [0.0, -math.inf]
    assert found[1].tolist() == [-math.inf, 0.0]
    assert found[2, 0].isnan()
    joint = gaussians.log_prob(Independent(p, 1, validate_args=checked), z)
    assert joint[:2].tolist() == [-math.inf, -math.inf]
    assert joint[2].isnan()


def test_a_density_inside_of_the_support_is_torchs_own_and_so_is_its_slope():
    p, z = Exponential(torch.tensor(2.0, **F64)), torch.tensor([0.5, 3.0], **F64)
    assert torch.equal(gaussians.log_prob(p, z), p.log_prob(z))
    z = torch.tensor([0.5, -3.0], **F64, requires_grad=True)
    value = gaussians.log_prob(p, z)
    assert value.tolist() == [p.log_prob(z[0]).item(), -math.inf]
    (slope,) = torch.autograd.grad(value[0], z)
    assert slope.tolist() == [-2.0, 0.0]
