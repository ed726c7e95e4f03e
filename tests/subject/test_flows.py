"""A flow inverts, its density has mass one, without couplings it is Gaussian."""

import math

import pytest
import torch
from torch.distributions import MultivariateNormal, Normal

from jensengap import bounds, flows, quadrature
from jensengap.divergences import Estimate

F64 = {"dtype": torch.float64}


def flow(num_examples=3, latent_dim=2, num_couplings=3, **words):
    """Make a flow that is far from where it starts."""
    torch.manual_seed(0)
    shape = num_examples, latent_dim
    loc, scale = torch.randn(shape, **F64), 0.5 + torch.rand(shape, **F64)
    made = flows.Flow(loc, scale, num_couplings=num_couplings, **words)
    with torch.no_grad():
        for coupling in made.couplings:
            coupling.last.normal_(std=0.4)
        made.tilt.normal_(std=0.5 * made.tilt.requires_grad)
    return made


@pytest.mark.parametrize("latent_dim", [2, 3, 5])
def test_the_inverse_undoes_the_map(latent_dim):
    made, u = flow(latent_dim=latent_dim), torch.randn(7, 3, latent_dim, **F64)
    z, log_det = made(u)
    back, log_det_back = made.inverse(z)
    torch.testing.assert_close(back, u)
    torch.testing.assert_close(log_det_back, -log_det)
    assert (z - u).abs().max() > 0.1


@pytest.mark.parametrize("latent_dim", [2, 3])
def test_the_log_determinant_is_that_of_the_jacobian(latent_dim):
    made = flow(num_examples=1, latent_dim=latent_dim)
    for u in torch.randn(5, 1, 1, latent_dim, **F64):
        jacobian = torch.autograd.functional.jacobian(
            lambda v: made(v.reshape(1, 1, -1)).value.flatten(), u.flatten()
        )
        wanted = torch.linalg.slogdet(jacobian).logabsdet
        torch.testing.assert_close(made(u).log_det[0, 0], wanted)


def test_every_coordinate_is_moved_by_two_couplings():
    coupling = flows.Coupling(1, 2, 4).double()
    u = torch.tensor([[[1.0, 2.0]]], **F64)
    # it begins as the mere exchange of the halves
    assert coupling(u).value.tolist() == [[[2.0, 1.0]]]
    assert coupling(u).log_det.item() == 0


def test_the_density_has_mass_one():
    made = flow(num_examples=2)
    rule = quadrature.grid(801, limit=20.0)
    log_q = made.log_prob(rule.nodes[:, None].expand(-1, 2, -1))
    mass = (log_q + rule.log_weight[:, None]).exp().sum(0)
    # in far corners, where no grid reaches, lies a thousandth at the most
    beyond = Estimate.of((made.rsample(100_000).z.abs() > 20).any(-1).double())
    assert ((mass + beyond.mean - 1).abs() < 4 * beyond.stderr + 1e-4).all()
    assert (beyond.mean < 0.01).all()


def test_samples_come_with_the_density_that_the_inverse_gives():
    made = flow()
    z, log_q = made.rsample(11)
    assert z.shape == (11, 3, 2)
    assert log_q.shape == (11, 3)
    torch.testing.assert_close(made.log_prob(z), log_q)


def test_without_couplings_it_is_a_gaussian():
    made, z = flow(num_couplings=0), torch.randn(6, 3, 2, **F64)
    lower = torch.diag_embed(made.log_scale.exp()) + made.tilt.tril(-1)
    gaussian = MultivariateNormal(made.loc, scale_tril=lower)
    torch.testing.assert_close(made.log_prob(z), gaussian.log_prob(z))


def test_without_a_tilt_its_coordinates_are_independent():
    made, z = flow(num_couplings=0, tilted=False), torch.randn(6, 3, 2, **F64)
    normal = Normal(made.loc, made.log_scale.exp())
    torch.testing.assert_close(made.log_prob(z), normal.log_prob(z).sum(-1))
    assert not made.tilt.requires_grad


def test_a_fresh_flow_is_the_gaussian_that_it_was_given():
    torch.manual_seed(0)
    loc, scale = torch.randn(3, 2, **F64), 0.5 + torch.rand(3, 2, **F64)
    z = torch.randn(6, 3, 2, **F64)
    made = flows.Flow(loc, scale, num_couplings=2)
    wanted = Normal(loc, scale).log_prob(z).sum(-1)
    torch.testing.assert_close(made.log_prob(z), wanted)


def test_each_example_has_a_flow_of_its_own():
    made, z = flow(), torch.randn(6, 3, 2, **F64)
    before = made.log_prob(z)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter[1] += 0.1
    changed = (made.log_prob(z) - before).abs().amax(0)
    assert changed[0] == changed[2] == 0
    assert changed[1] > 0.01


def test_no_layer_stretches_by_more_than_its_limit():
    coupling = flows.Coupling(1, 2, 4).double()
    with torch.no_grad():
        coupling.last += 1e3
    u = 5 * torch.randn(50, 1, 2, **F64)
    largest = coupling(u).log_det.abs().max()
    assert 0.9 * flows.LARGEST_LOG_SCALE < largest <= flows.LARGEST_LOG_SCALE


def test_the_elbo_of_a_flow_is_a_bound_and_its_gradient_reaches_every_parameter():
    made = flow()
    z, log_q = made.rsample(2000)
    log_p = Normal(0.0, 1.0).log_prob(z).sum(-1)  # normalised, so the evidence is 0
    elbo = bounds.elbo(log_p - log_q)
    assert (elbo < 0).all()
    elbo.sum().backward()
    assert all(p.grad.abs().sum() > 0 for p in made.parameters())


@pytest.mark.parametrize("sizes", [(1, 1, 4), (0, 2, 4), (1, 2, 0)])
def test_a_coupling_without_two_halves_is_refused(sizes):
    with pytest.raises(ValueError, match="a coupling needs latent_dim >= 2"):
        flows.Coupling(*sizes)


@pytest.mark.parametrize("scale", [[[0.0, 1.0]], [[1.0, math.inf]], [[-1.0, 1.0]]])
def test_a_scale_that_is_none_is_refused(scale):
    with pytest.raises(ValueError, match="positive and finite"):
        flows.Flow(torch.zeros(1, 2), torch.tensor(scale))


def test_no_draws_are_refused():
    with pytest.raises(ValueError, match="num_samples must be at least 1"):
        flow().rsample(0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_couplings_have_the_dtype_and_the_device_of_the_means(dtype):
    loc = torch.zeros(3, 2, dtype=dtype)
    flow = flows.Flow(loc, torch.ones_like(loc), num_couplings=2)
    assert {p.dtype for p in flow.parameters()} == {dtype}
    assert flow.rsample(4).z.dtype == dtype
    meta = torch.zeros(3, 2, device="meta")
    flow = flows.Flow(meta, meta, num_couplings=2)
    assert {p.device.type for p in flow.parameters()} == {"meta"}


@pytest.mark.parametrize(
    ("points", "said"),
    [
        (torch.zeros(5, 3, 3), r"\(b, d\) = \(3, 2\), got \(5, 3, 3\)"),
        (torch.zeros(5, 1, 2), r"\(b, d\) = \(3, 2\), got \(5, 1, 2\)"),
        (torch.zeros(3, 2), r"\(k, b, d\).*got \(3, 2\)"),
        (torch.zeros(0, 3, 2), r"got \(0, 3, 2\)"),
        (torch.zeros(5, 3, 2).double(), r"must be torch\.float32 on cpu"),
    ],
)
def test_points_of_another_shape_or_kind_are_refused_by_every_method(points, said):
    flow = flows.Flow(torch.zeros(3, 2), torch.ones(3, 2), num_couplings=1)
    for method in (flow, flow.inverse, flow.log_prob):
        with pytest.raises(ValueError, match=said):
            method(points)


@pytest.mark.parametrize("bad", [0.0, -1.0, float("nan"), float("inf")])
def test_a_start_that_is_no_gaussian_is_refused(bad):
    ones = torch.ones(3, 2)
    wrong = ones.clone()
    wrong[1, 1] = bad
    with pytest.raises(ValueError, match=r"scale must be positive and finite"):
        flows.Flow(ones, wrong)
    if bad != 0 and bad != -1:
        with pytest.raises(ValueError, match=f"^loc must be finite, got {bad}"):
            flows.Flow(wrong, ones)


@pytest.mark.parametrize("bad", [2.5, True, "3", None, 0, -1])
def test_a_number_of_draws_is_whole_and_at_least_one(bad):
    flow = flows.Flow(torch.zeros(3, 2), torch.ones(3, 2))
    with pytest.raises(ValueError, match=r"^num_samples must be (a whole|at least)"):
        flow.rsample(bad)
