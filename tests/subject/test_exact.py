"""The yardsticks agree with one another: closed form, grid and Gauss-Hermite."""

import math

import pytest
import torch
from torch import nn

from jensengap import data, divergences, exact, nets, quadrature
from jensengap.data import embedded

F64 = {"dtype": torch.float64}
BAD_SCALES = [0.0, -0.8, math.nan, math.inf]


@pytest.fixture
def plane():
    """A model with three pixels and two causes, one observation, and a point z."""
    torch.manual_seed(0)
    model = exact.LinearGaussian(torch.randn(3, 2, **F64), torch.randn(3, **F64), 0.6)
    return model, torch.randn(3, **F64), torch.randn(2, **F64)


@pytest.fixture
def decoder():
    torch.manual_seed(0)
    return nets.Conditional(nets.mlp(2, 5, 4), nets.bernoulli).double()


def prior(dim):
    return nets.gaussian(torch.zeros(dim, **F64), 1.0)


def test_evidence_and_posterior_obey_bayes_rule_at_any_z(plane):
    model, x, z = plane
    left = model.evidence().log_prob(x) + model.posterior(x).log_prob(z)
    right = model.likelihood(z).log_prob(x) + prior(2).log_prob(z)
    assert abs(left - right) < 1e-12


def test_the_posterior_of_one_cause_is_the_chapters_formula():
    w, b, s, x = 1.7, 0.3, 0.8, 1.9
    model = exact.LinearGaussian(
        torch.tensor([[w]], **F64), torch.tensor([b], **F64), s
    )
    posterior = model.posterior(torch.tensor([x], **F64))
    assert abs(posterior.mean - w * (x - b) / (w**2 + s**2)) < 1e-14
    assert abs(posterior.variance - s**2 / (w**2 + s**2)) < 1e-14


def test_posteriors_of_a_batch_are_those_of_its_rows(plane):
    model, x, _ = plane
    batch = torch.stack([x, 2 * x, -x])
    together = model.posterior(batch)
    for i, row in enumerate(batch):
        alone = model.posterior(row)
        torch.testing.assert_close(together.mean[i], alone.mean, rtol=0, atol=1e-13)


def test_the_evidence_is_what_the_grid_integrates(plane):
    model, x, _ = plane
    grid = quadrature.grid(241)
    log_joint = model.likelihood(grid.nodes).log_prob(x) + prior(2).log_prob(grid.nodes)
    log_p = quadrature.log_evidence(log_joint, grid.log_weight)
    assert abs(log_p - model.evidence().log_prob(x)) < 1e-12


def test_the_closed_reconstruction_is_what_gauss_hermite_averages(plane):
    model, x, _ = plane
    loc, scale = torch.randn(4, 2, **F64), torch.rand(4, 2, **F64) + 0.1
    q = nets.gaussian(loc, scale)
    z, log_weight = quadrature.gauss_hermite(q, 2)  # a quadratic needs no more
    averaged = log_weight.exp() @ model.likelihood(z).log_prob(x)
    torch.testing.assert_close(model.reconstruction(x, q), averaged, rtol=0, atol=1e-11)


def test_the_elbo_is_tight_at_the_posterior_and_nowhere_else():
    model = exact.LinearGaussian(
        torch.tensor([[1.7]], **F64), torch.tensor([0.3], **F64), 0.8
    )
    x = torch.tensor([1.9], **F64)
    post = model.posterior(x)
    for shift, tight in ((0.0, True), (0.3, False)):
        q = nets.gaussian(post.mean + shift, post.stddev)
        elbo = model.reconstruction(x, q) - divergences.kl(q, prior(1))
        gap = model.evidence().log_prob(x) - elbo
        assert (abs(gap) < 1e-13) == tight
        assert gap > -1e-13


@pytest.mark.parametrize("scale", BAD_SCALES)
@pytest.mark.parametrize("method", ["evidence", "posterior", "likelihood"])
def test_a_noise_without_width_is_refused_by_every_method(plane, scale, method):
    model, x, z = plane
    given = {"evidence": (), "posterior": (x,), "likelihood": (z,)}[method]
    words = f"positive and finite, got {scale}; .*standard deviation of the noise$"
    if math.isnan(scale):
        words = "^scale must be a number, got NaN"
    with pytest.raises(ValueError, match=words):
        getattr(model._replace(scale=scale), method)(*given)


def test_a_model_keeps_its_dtype_whatever_the_default_is(plane, default_double):
    model, x, z = plane
    model = exact.LinearGaussian(model.weight.float(), model.bias.float(), 0.6)
    posterior = model.posterior(x.float())
    assert posterior.mean.dtype == torch.float32
    assert posterior.covariance_matrix.dtype == torch.float32
    assert model.evidence().covariance_matrix.dtype == torch.float32
    assert model.likelihood(z.float()).log_prob(x.float()).dtype == torch.float32


def test_one_product_of_matrices_is_every_image_under_every_node(decoder):
    x = torch.cartesian_prod(*[torch.tensor([0.0, 1.0], **F64)] * 4)
    nodes = torch.randn(7, 2, **F64)
    table = exact.bernoulli_log_likelihood(decoder, x, nodes, chunk=3)
    wanted = decoder(nodes[:, None]).log_prob(x)
    torch.testing.assert_close(table, wanted, rtol=0, atol=1e-13)
    torch.testing.assert_close(table.exp().sum(1), torch.ones(7, **F64))
    assert not table.requires_grad


def test_another_head_is_refused(decoder):
    other = nets.Conditional(decoder.net, nets.gaussian_head)
    with pytest.raises(
        ValueError,
        match=r"must be nets\.bernoulli, got .*; for "
        r"another likelihood use decoder\(nodes\)\.log_prob$",
    ):
        exact.bernoulli_log_likelihood(other, torch.ones(1, 4), torch.ones(1, 2))


@pytest.mark.parametrize("wrong", ["x", "nodes", "decoder"])
def test_a_dtype_that_differs_is_refused_with_all_three_named(decoder, wrong):
    given = {"decoder": decoder, "x": torch.ones(1, 4, **F64)}
    given["nodes"] = torch.ones(1, 2, **F64)
    given[wrong] = given[wrong].float()
    with pytest.raises(ValueError, match=r"float(32|64).*dtype.*call \.double\(\)"):
        exact.bernoulli_log_likelihood(**given)


@pytest.mark.parametrize("grey", [0.5, -1.0, 2.0, math.nan])
def test_grey_pixels_have_no_bernoulli_likelihood(decoder, grey):
    x = torch.tensor([[0.0, 1.0, grey, 1.0]], **F64)
    with pytest.raises(
        ValueError,
        match=rf"^x must be 0 or 1, got {grey:g} and in all 1 such of 4 values, "
        "outside of the support: a Bernoulli gives grey pixels no probability; draw "
        r"binary images with data\.binarize$",
    ):
        exact.bernoulli_log_likelihood(decoder, x, torch.ones(1, 2, **F64))


def test_the_optimal_discriminator_is_the_share_of_the_data():
    p, q = torch.tensor([0.2, 0.5, 0.3], **F64), torch.tensor([0.6, 0.1, 0.3], **F64)
    share = exact.optimal_discriminator(p.log(), q.log())
    torch.testing.assert_close(share, p / (p + q), rtol=0, atol=1e-15)

    def value(d):
        return (p * d.log() + q * (1 - d).log()).sum()

    for step in (-0.01, 0.01):
        assert value(share) > value(share + step)


def test_off_one_support_the_discriminator_is_sure_and_off_both_undefined():
    gone = -math.inf
    p, q = torch.tensor([0.0, gone, gone]), torch.tensor([gone, 0.0, gone])
    share = exact.optimal_discriminator(p, q)
    assert share[:2].tolist() == [1.0, 0.0]
    assert share[2].isnan()


def test_a_wide_network_is_decoded_in_pieces_of_the_given_size():
    class Counting(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear, self.seen = nn.Linear(2, 3), []

        def forward(self, z):
            self.seen.append(len(z))
            return self.linear(z)

    net = Counting()
    decoder = nets.Conditional(net, nets.bernoulli)
    exact.bernoulli_log_likelihood(
        decoder, torch.ones(1, 3), torch.randn(10, 2), chunk=4
    )
    assert net.seen == [4, 4, 2]


@pytest.fixture
def digits():
    return data.unit_pixels(embedded.digits_8x8("all").pixels, white=16).double()


def test_no_neighbour_of_probabilistic_pca_is_more_likely(digits):
    torch.manual_seed(0)
    best = exact.probabilistic_pca(digits, 5)

    def likelihood(model):
        return model.evidence().log_prob(digits).mean()

    for _ in range(20):
        near = exact.LinearGaussian(
            best.weight + 1e-2 * torch.randn_like(best.weight),
            best.bias + 1e-2 * torch.randn_like(best.bias),
            best.scale * (1 + 1e-2 * torch.randn(()).item()),
        )
        assert likelihood(near) < likelihood(best)


def test_probabilistic_pca_is_where_the_likelihood_has_no_slope(digits):
    best = exact.probabilistic_pca(digits, 3)
    weight, bias = best.weight.clone(), best.bias.clone()
    parts = [p.requires_grad_() for p in (weight, bias)]
    exact.LinearGaussian(weight, bias, best.scale).evidence().log_prob(
        digits
    ).mean().backward()
    for part in parts:
        assert part.grad.abs().max() < 1e-10
    around = [best._replace(scale=best.scale * s) for s in (1 - 1e-4, 1 + 1e-4)]
    low, high = (m.evidence().log_prob(digits).mean() for m in around)
    assert abs(low - high) < 1e-6


def test_one_example_has_no_spread_and_is_its_own_mean():
    x = torch.tensor([[0.5, -1.0, 2.0]], **F64)
    model = exact.probabilistic_pca(x, 1, scale=0.3)
    assert torch.equal(model.bias, x[0])
    assert torch.equal(model.weight, torch.zeros(3, 1, **F64))


def test_with_a_given_noise_weak_directions_are_dropped(digits):
    model = exact.probabilistic_pca(digits, 20, scale=0.1**0.5)
    values = torch.linalg.eigvalsh(torch.cov(digits.mT, correction=0)).flip(0)
    lengths = model.weight.square().sum(0)
    torch.testing.assert_close(lengths, (values[:20] - 0.1).clamp(min=0))
    assert 0 < (lengths > 0).sum() < 20
    assert model.scale == 0.1**0.5


@pytest.mark.parametrize(
    ("latent_dim", "scale", "most"), [(0, None, 3), (4, None, 3), (5, 0.1, 4)]
)
def test_a_latent_dimension_out_of_range_is_refused(latent_dim, scale, most):
    with pytest.raises(ValueError, match=f"from 1 to {most}, got 9 examples"):
        exact.probabilistic_pca(torch.randn(9, 4, **F64), latent_dim, scale)


def test_probabilistic_pca_needs_an_example_and_noise():
    with pytest.raises(ValueError, match=r"^x must have .* got \(0, 4\)$"):
        exact.probabilistic_pca(torch.zeros(0, 4, **F64), 2)
    with pytest.raises(ValueError, match="vary in more than 2 directions"):
        exact.probabilistic_pca(torch.ones(9, 4, **F64), 2)
    with pytest.raises(ValueError, match="scale must be positive"):
        exact.probabilistic_pca(torch.randn(9, 4, **F64), 2, scale=-0.3)


def test_all_latent_dimensions_may_be_used_where_the_noise_is_given(digits):
    x = digits[:, 10:14]
    model = exact.probabilistic_pca(x, 4, scale=0.05)
    torch.testing.assert_close(
        model.evidence().covariance_matrix, torch.cov(x.mT, correction=0)
    )


@pytest.fixture
def mixture():
    return exact.BernoulliMixture(
        torch.tensor([0.2, 0.5, 0.3], **F64),
        torch.tensor([[0.9, 0.1, 0.5, 0.2], [0.4, 0.6, 0.7, 0.1], [0.5] * 4], **F64),
    )


def test_the_mixtures_evidence_sums_to_one_over_all_images(mixture):
    x = torch.cartesian_prod(*[torch.tensor([0.0, 1.0], **F64)] * 4)
    torch.testing.assert_close(
        mixture.log_evidence(x).exp().sum(), torch.tensor(1.0, **F64)
    )
    torch.testing.assert_close(mixture.posterior(x).sum(0), torch.ones(16, **F64))


def test_the_mixtures_joint_is_prior_times_bernoullis(mixture):
    x = torch.tensor([1.0, 0.0, 0.0, 1.0], **F64)
    first = 0.2 * 0.9 * (1 - 0.1) * (1 - 0.5) * 0.2
    joint = mixture.log_joint(x).exp()
    assert joint[0].item() == pytest.approx(first)
    torch.testing.assert_close(mixture.posterior(x), joint / joint.sum())
    batch = x.expand(2, 5, 4)
    assert mixture.log_joint(batch).shape == (3, 2, 5)
    assert mixture.log_evidence(batch).shape == (2, 5)
