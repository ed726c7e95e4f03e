"""What a reader may naturally write is taken, and the like of it said in a sentence."""

import math
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn
from torch.distributions import (
    Bernoulli,
    Categorical,
    Gamma,
    Independent,
    MultivariateNormal,
    Normal,
    Uniform,
)

from jensengap import (
    bounds,
    check,
    diffusion,
    discretized_normal,
    divergences,
    exact,
    gaussians,
    gradients,
    metrics,
    nets,
    probes,
    quadrature,
    vae,
    vq,
)

HALVES = torch.tensor([0.5, 0.5])


def model(prior=None, head=nets.bernoulli):
    return vae.VAE(
        nets.Conditional(nets.mlp(4, 3, 4), nets.gaussian_head),
        nets.Conditional(nets.mlp(2, 3, 4), head),
        nets.StandardNormal(2) if prior is None else prior,
    )


class Gammas(nn.Module):
    """A prior that ends at zero."""

    def forward(self):
        return Independent(Gamma(torch.ones(2), torch.ones(2)), 1)


@pytest.mark.parametrize(
    ("q", "p"),
    [
        (Categorical(torch.tensor([0.5, 0.25, 0.25])), Categorical(HALVES)),
        (Categorical(HALVES), Categorical(torch.tensor([1.0, 0.0]))),
        (Bernoulli(0.5), Bernoulli(1.0)),
        (
            Independent(Bernoulli(HALVES), 1),
            Independent(Bernoulli(torch.tensor([0.5, 0.0])), 1),
        ),
        (Normal(0.0, 1.0), Gamma(1.0, 1.0)),
        (Uniform(0.0, 2.0), Uniform(0.0, 1.0)),
    ],
)
def test_mass_outside_of_the_support_is_infinitely_far(q, p):
    torch.manual_seed(0)
    found = divergences.kl_monte_carlo(q, p, 1000)
    assert found.mean == math.inf
    assert found.stderr == math.inf


def test_scales_whose_squares_are_no_floats_keep_their_divergence():
    for narrow in (1e-23, 1e-30):
        q = Normal(0.0, narrow)
        wanted = -math.log(narrow) - 0.5
        assert abs(divergences.kl(q, Normal(0.0, 1.0)) - wanted) < 1e-4
    q = Independent(Normal(torch.zeros(1), torch.tensor([1e-25])), 1)
    nodes, _ = quadrature.gauss_hermite(q, 3)
    torch.testing.assert_close(nodes[2, 0], torch.tensor(math.sqrt(3) * 1e-25))
    assert gaussians.scale_tril(q).item() == pytest.approx(1e-25)


@pytest.mark.parametrize("validated", [True, False])
def test_a_prior_ends_where_its_support_does(validated):
    default = torch.distributions.Distribution._validate_args
    torch.distributions.Distribution.set_default_validate_args(validated)
    try:
        torch.manual_seed(1)
        log_w = model(Gammas()).log_weights(torch.zeros(5, 4), 20)
        q = Independent(Gamma(torch.ones(3, 2), torch.ones(3, 2)), 1)
        outside = metrics.log_aggregate(q, torch.tensor([[-1.0, 1.0]]))
    finally:
        torch.distributions.Distribution.set_default_validate_args(default)
    assert (log_w == -math.inf).any()
    assert log_w.isfinite().any()
    assert not log_w.isnan().any()
    assert outside.tolist() == [-math.inf]


def test_an_order_and_a_scale_can_be_learned():
    log_w = torch.tensor([[-1.0], [-3.0], [-2.0]], dtype=torch.float64)
    for bound, at in ((bounds.renyi, 0.3), (bounds.cubo, 2.5)):
        order = torch.tensor(at, dtype=torch.float64, requires_grad=True)
        (slope,) = torch.autograd.grad(bound(log_w, order).sum(), order)
        by_hand = (bound(log_w, at + 1e-5) - bound(log_w, at - 1e-5)).item() / 2e-5
        assert abs(slope - by_hand) < 1e-6
    scale = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)
    weight = torch.ones(2, 1, dtype=torch.float64)
    linear = exact.LinearGaussian(weight, torch.zeros(2).double(), scale)
    x = torch.tensor([[0.3, -0.2]], dtype=torch.float64)
    (slope,) = torch.autograd.grad(linear.evidence().log_prob(x).sum(), scale)
    assert slope.isfinite()
    assert slope != 0


def test_what_vmap_maps_is_computed():
    log_w = torch.randn(6, 5, 2)
    size = bounds.effective_sample_size
    torch.testing.assert_close(
        torch.func.vmap(size)(log_w), torch.stack([*map(size, log_w)])
    )
    tables = torch.randn(3, 5).log_softmax(1)
    flat = torch.zeros(5)
    found = torch.func.vmap(lambda a: divergences.jensen_shannon(a, a.flip(0), flat))(
        tables
    )
    each = [divergences.jensen_shannon(a, a.flip(0), flat) for a in tables]
    torch.testing.assert_close(found, torch.stack(each))


def test_broadcasting_is_torchs():
    x_0, all_steps = torch.randn(4, 2), torch.arange(1, 11)[:, None]
    noise = diffusion.cosine_schedule(10)
    assert diffusion.diffuse(noise, x_0, all_steps).mean.shape == (10, 4, 2)
    assert nets.gaussian(torch.zeros(3), torch.ones(2, 3)).mean.shape == (2, 3)
    assert nets.gaussian(torch.zeros(3), torch.tensor(2)).stddev.tolist() == [2, 2, 2]
    pixels = discretized_normal.DiscretizedNormal(torch.zeros(4), torch.ones(3, 4))
    assert pixels.batch_shape == (3, 4)
    half = exact.optimal_discriminator(torch.zeros(3, 1), torch.tensor(0.0))
    assert half.flatten().tolist() == [0.5, 0.5, 0.5]
    score = probes.normalised(torch.tensor([0.9, 0.1]), torch.tensor(0.1))
    torch.testing.assert_close(score, torch.tensor([8 / 9, 0.0]).double())
    phi = torch.tensor([0.5])

    def family(p):
        return Normal(p[..., 0], 1.0)

    torch.manual_seed(0)
    values = gradients.score_function(torch.square, family, phi, 7, torch.tensor(0.3))
    assert values.shape == (7, 1)


def test_tokens_and_empty_batches_are_examples_too():
    embed = nets.Conditional(nn.Embedding(5, 4), nets.gaussian_head)
    assert embed(torch.tensor([1, 3])).batch_shape == (2,)

    def tokens(logits):
        return Independent(Categorical(logits=logits.unflatten(-1, (2, 2))), 1)

    class Floats(nn.Module):
        def forward(self, ids):
            return ids.float()

    encoder = nets.Conditional(
        nn.Sequential(Floats(), nn.Linear(2, 4)), nets.gaussian_head
    )
    of_tokens = vae.VAE(
        encoder, nets.Conditional(nets.mlp(2, 4), tokens), nets.StandardNormal(2)
    )
    ids = torch.tensor([[0, 1], [1, 1], [0, 0]])
    assert of_tokens.terms(ids).elbo.shape == (3,)
    assert of_tokens.log_evidence(ids, 9).log_p.isfinite().all()
    assert vq.nearest(torch.zeros(0, 2), torch.zeros(3, 2)).shape == (0,)


def test_levels_counts_and_shares_keep_their_kinds(capsys):
    levels = torch.arange(65536).float() * (1 / 65535)
    fine = discretized_normal.DiscretizedNormal(torch.full((65536,), 0.5), 0.1, 65536)
    assert fine.log_prob(levels).isfinite().all()
    check.glue("n", 5000, "d")
    points = torch.eye(2).repeat(8, 1)
    assert metrics.modes_covered(points, torch.eye(2), 0.1, 30 / 10 / 2).all()
    assert bounds.effective_sample_size(torch.zeros(2000).half()) == 2000
    shares = torch.tensor([0.5, 0.5, 0.0], requires_grad=True)
    assert vq.perplexity(shares) == 2
    verdict = check.identity("eq-x", 1.0, 1.0, np.float64(1e-3))
    assert type(verdict.ok) is bool
    assert type(verdict.tolerance) is float


REFUSED = {
    "classes of other numbers": (
        lambda: divergences.kl(
            Categorical(torch.ones(2)), Categorical(torch.ones(3))
        ),
        "of the same things",
    ),
    "pixels of another number": (
        lambda: nets.bernoulli(torch.zeros(3)).log_prob(torch.ones(4)),
        r"value must fit the log-odds, \(3,\), got shape \(4,\)",
    ),
    "channels last": (
        lambda: metrics.edge_steepness(torch.rand(1, 28, 28, 3)),
        r"movedim\(-1, 1\)",
    ),
    "noise that is lost in rounding": (
        lambda: exact.LinearGaussian(
            torch.ones(30, 2), torch.zeros(30), 1e-3
        ).evidence(),
        r"call \.double\(\)",
    ),
    "a bias of another length": (
        lambda: exact.LinearGaussian(
            torch.ones(3, 2), torch.zeros(1), 1.0
        ).likelihood(torch.zeros(2)),
        "bias must hold vectors of length 3",
    ),
    "a q of another length": (
        lambda: exact.LinearGaussian(
            torch.ones(3, 2), torch.zeros(3), 1.0
        ).reconstruction(
            torch.zeros(3), MultivariateNormal(torch.zeros(4), torch.eye(4))
        ),
        "q must hold vectors of length 2",
    ),
    "a column for labels": (
        lambda: probes.accuracy(torch.zeros(3, 1).long(), torch.zeros(3).long()),
        "got",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_right_is_refused_in_a_sentence(name):
    call, said = REFUSED[name]
    with pytest.raises(ValueError, match=said):
        call()


def test_data_of_any_unit_have_the_same_directions():
    torch.manual_seed(2)
    x = torch.randn(50, 5) @ torch.randn(5, 5)
    plain = exact.probabilistic_pca(x, 2)
    for unit in (1e15, 1e-15):
        scaled = exact.probabilistic_pca(x * unit, 2)
        torch.testing.assert_close(
            scaled.weight / unit, plain.weight, rtol=1e-3, atol=1e-3
        )
        assert scaled.scale / unit == pytest.approx(plain.scale, rel=1e-3)


# where the hook of the tests would look at the type before
BARE = {
    "divergences.kl(Normal(0.0, 1.0), nets.StandardNormal(1))": "be a distribution",
    "vae.VAE(None, None, Normal(0.0, 1.0))": "prior must be a module",
    "check.estimate('eq-x', 1.0, 1.0, max_stderr=0.1)": "a mean and a standard error",
    "check.identity('eq-x', 1.0, 1.0, 'a')": "tolerance must be one number",
    "check.identity('eq-x', 1.0, 1.0, None)": "tolerance must be one number",
}


def test_other_kinds_of_objects_are_refused_in_a_sentence():
    code = "import torch\nfrom torch.distributions import Normal\n"
    code += "from jensengap import check, divergences, nets, vae\n"
    for call in BARE:
        code += f"try:\n    {call}\nexcept ValueError as error:\n    print(error)\n"
    run = [sys.executable, "-c", code]
    done = subprocess.run(run, capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert len(lines) == len(BARE)
    for line, said in zip(lines, BARE.values(), strict=True):
        assert said in line
