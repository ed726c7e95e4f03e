"""Annealed weights: right on average however short the walk, and from both sides."""

import math

import pytest
import torch

from jensengap import ais, bounds, exact, nets
from jensengap.divergences import Estimate

F64 = {"dtype": torch.float64}


@pytest.fixture
def problem():
    """A linear-Gaussian model, three observations, its prior and its log-joint."""
    torch.manual_seed(0)
    weight = torch.tensor([[1.2, 0.0], [0.3, 0.9], [0.0, 0.5]], **F64)
    model = exact.LinearGaussian(weight, torch.zeros(3, **F64), 1.0)
    x = model.evidence().sample((3,))
    base = nets.gaussian(torch.zeros(3, 2, **F64), 1.0)

    def log_joint(z):
        return model.likelihood(z).log_prob(x) + base.log_prob(z)

    return model, x, base, log_joint


@pytest.mark.parametrize("num", [1, 2, 7])
def test_a_schedule_rises_from_zero_to_one(num):
    betas = ais.sigmoid_schedule(num)
    assert len(betas) == num + 1
    assert betas[0] == 0
    assert betas[-1] == 1
    assert (betas.diff() > 0).all()
    torch.testing.assert_close(betas + betas.flip(0), torch.ones(num + 1, **F64))


def test_a_schedule_is_denser_at_its_ends_the_sharper_it_is():
    steps = ais.sigmoid_schedule(20).diff()
    flat = ais.sigmoid_schedule(20, sharpness=0.1).diff()
    assert steps[0] < steps[5] < steps[9]
    assert steps[0] < 0.2 * flat[0]
    low, quarter, high = torch.tensor([-4.0, -2.0, 4.0], **F64).sigmoid()
    wanted = (quarter - low) / (high - low)
    torch.testing.assert_close(ais.sigmoid_schedule(4)[1], wanted)


@pytest.mark.parametrize(
    ("num", "sharpness", "said"),
    [
        (0, 4.0, "got 0 and 4.0$"),
        (3, 0.0, "got 3 and 0.0$"),
        (3, math.nan, "^sharpness must be a number, got NaN"),
    ],
)
def test_a_schedule_without_steps_or_slope_is_refused(num, sharpness, said):
    with pytest.raises(ValueError, match=said):
        ais.sigmoid_schedule(num, sharpness)


def test_one_step_is_importance_sampling_from_the_base(problem):
    _, _, base, log_joint = problem
    torch.manual_seed(1)
    walk = ais.forward(
        base, log_joint, ais.sigmoid_schedule(1), 7, torch.full((1, 3), 0.1, **F64)
    )
    torch.manual_seed(1)
    z = base.sample((7,))
    torch.testing.assert_close(walk.log_w, log_joint(z) - base.log_prob(z))


@pytest.mark.parametrize("num", [3, 12])
def test_the_mean_weight_is_the_evidence_forwards_and_its_inverse_backwards(
    problem, num
):
    model, x, base, log_joint = problem
    torch.manual_seed(2)
    betas = ais.sigmoid_schedule(num)
    steps = ais.tune(base, log_joint, betas)
    log_p = model.evidence().log_prob(x)
    forward = ais.forward(base, log_joint, betas, 20_000, steps)
    mean, stderr = Estimate.of((forward.log_w - log_p).exp())
    assert ((mean - 1).abs() < 4 * stderr).all()
    assert (stderr < 0.05).all()
    z = model.posterior(x).sample((20_000,))
    backward = ais.reverse(base, log_joint, betas, z, steps)
    mean, stderr = Estimate.of((log_p - backward.log_w).exp())
    assert ((mean - 1).abs() < 4 * stderr).all()
    assert (stderr < 0.1).all()


def test_both_sides_close_on_the_evidence_as_the_walk_gets_longer(problem):
    model, x, base, log_joint = problem
    torch.manual_seed(3)
    log_p = model.evidence().log_prob(x)
    widths = []
    for num in (4, 64):
        betas = ais.sigmoid_schedule(num)
        steps = ais.tune(base, log_joint, betas)
        lower = Estimate.of(ais.forward(base, log_joint, betas, 2000, steps).log_w)
        z = model.posterior(x).sample((2000,))
        upper = Estimate.of(ais.reverse(base, log_joint, betas, z, steps).log_w)
        assert (lower.mean < log_p + 4 * lower.stderr).all()
        assert (upper.mean > log_p - 4 * upper.stderr).all()
        # all three together are far from the evidence
        assert lower.mean.sum() < log_p.sum() < upper.mean.sum()
        widths.append((upper.mean - lower.mean).sum())
    # sixteen times the steps: a sixteenth if each step mixed, a sixth as it is
    assert widths[1] < widths[0] / 3


def test_the_walks_end_where_they_should(problem):
    model, x, base, log_joint = problem
    torch.manual_seed(4)
    betas = ais.sigmoid_schedule(60)
    steps = ais.tune(base, log_joint, betas)
    posterior = model.posterior(x)
    there = ais.forward(base, log_joint, betas, 4000, steps).z
    back = ais.reverse(base, log_joint, betas, posterior.sample((4000,)), steps).z
    for z, wanted in ((there, posterior), (back, base)):
        mean, stderr = Estimate.of(z)
        assert ((mean - wanted.mean).abs() < 5 * stderr).all()
        torch.testing.assert_close(z.var(0), wanted.variance, rtol=0.1, atol=0.0)


def test_a_transition_leaves_its_density_alone_and_one_that_flies_off_is_refused():
    torch.manual_seed(5)
    base = nets.gaussian(torch.zeros(1, 1, **F64), 1.0)
    betas = ais.sigmoid_schedule(1)
    z = base.sample((20_000,))
    # target and base are the same: every weight is one, and z stays standard normal
    walk = ais.reverse(base, base.log_prob, betas, z, torch.full((1, 1), 1.1, **F64))
    assert (walk.log_w == 0).all()
    assert 0.5 < walk.acceptance.item() < 0.99
    torch.testing.assert_close(
        walk.z.var(), torch.tensor(1.0, **F64), rtol=0.05, atol=0
    )
    wild = ais.reverse(base, base.log_prob, betas, z, torch.full((1, 1), 1e200, **F64))
    assert wild.acceptance.item() == 0
    assert torch.equal(wild.z, z)


def test_leapfrog_conserves_energy_to_second_order():
    base = nets.gaussian(torch.zeros(1, 3, **F64), 1.0)
    lost = []
    for step in (0.2, 0.1):
        torch.manual_seed(6)
        z = base.sample((4000,))
        steps = torch.full((1, 1), step, **F64)
        walk = ais.reverse(
            base,
            base.log_prob,
            ais.sigmoid_schedule(1),
            z,
            steps,
            num_leapfrog=round(1.0 / step),
        )
        lost.append(1 - walk.acceptance.item())
    # the energy's error is of order step², and so is the chance of a refusal
    assert 3.0 < lost[0] / lost[1] < 5.0


def test_each_temperature_walks_with_its_own_step(problem):
    model, x, base, log_joint = problem
    torch.manual_seed(7)
    betas = ais.sigmoid_schedule(3)
    steps = torch.tensor([1e-3, 1.0, 1e200], **F64)[:, None] * torch.ones(3, **F64)
    steps[1, 2] = 1e200
    walks = [
        ais.forward(base, log_joint, betas, 50, steps),
        ais.reverse(base, log_joint, betas, model.posterior(x).sample((50,)), steps),
    ]
    for walk in walks:
        assert (walk.acceptance[0] > 0.999).all()
        assert (walk.acceptance[1, :2] > 0.2).all()
        assert (walk.acceptance[1, :2] < 0.999).all()
        assert walk.acceptance[1, 2] == 0
        assert torch.equal(walk.acceptance[2], torch.zeros(3, **F64))


def test_one_round_of_tuning_moves_the_step_by_half_of_what_acceptance_lacks(problem):
    _, _, base, log_joint = problem
    betas = ais.sigmoid_schedule(1)
    first = base.stddev.mean(1) / 4
    torch.manual_seed(8)
    tuned = ais.tune(base, log_joint, betas, 6, num_leapfrog=4, num_rounds=1)
    torch.manual_seed(8)
    walk = ais.forward(base, log_joint, betas, 6, first[None], num_leapfrog=4)
    factor = ((walk.acceptance - ais.GOOD_ACCEPTANCE) / 2).exp()
    torch.testing.assert_close(tuned, first * factor)


def test_what_tuning_takes_unless_told(problem):
    _, _, base, log_joint = problem
    seen = []
    for given in ({}, {"num_chains": 4, "num_leapfrog": 5, "num_rounds": 3}):
        torch.manual_seed(9)
        seen.append(ais.tune(base, log_joint, ais.sigmoid_schedule(2), **given))
    assert torch.equal(*seen)


@pytest.mark.parametrize("lucky", [False, True])
def test_a_step_to_where_the_density_is_not_defined_is_refused(monkeypatch, lucky):
    torch.manual_seed(10)
    if lucky:  # every number drawn is the smallest, and accepts what can be accepted
        monkeypatch.setattr(torch, "rand_like", torch.zeros_like)
    base = nets.gaussian(torch.zeros(1, 1, **F64), 1.0)

    def within_one(z):
        return torch.log1p(-z.square()).sum(-1)  # NaN beyond

    inside = 2 * torch.rand(500, 1, 1, **F64) - 1
    walk = ais.reverse(
        base,
        within_one,
        ais.sigmoid_schedule(1),
        inside,
        torch.full((1, 1), 1.0, **F64),
        num_leapfrog=1,
    )
    assert (walk.z.abs() < 1).all()
    assert not torch.equal(walk.z, inside)


def test_tuned_steps_are_accepted_two_times_in_three(problem):
    _, _, base, log_joint = problem
    torch.manual_seed(7)
    betas = ais.sigmoid_schedule(100)
    steps = ais.tune(base, log_joint, betas, num_chains=16)
    assert steps.shape == (100, 3)
    walk = ais.forward(base, log_joint, betas, 400, steps)
    assert walk.acceptance.shape == (100, 3)
    late = walk.acceptance[20:].mean(0)
    assert ((late - ais.GOOD_ACCEPTANCE).abs() < 0.1).all()
    assert (steps[-1] < steps[20]).all()  # the posterior is narrower than the prior


def test_annealing_keeps_the_dtype_and_leaves_no_graph(problem):
    base = nets.gaussian(torch.zeros(2, 2), 1.0)
    weight = torch.ones(2, requires_grad=True)

    def log_target(z):
        return -(weight * z.square()).sum(-1)

    with torch.no_grad():
        betas = ais.sigmoid_schedule(3)
        steps = ais.tune(base, log_target, betas)
        walk = ais.forward(base, log_target, betas, 5, steps)
    for value in (steps, *walk):
        assert value.dtype == torch.float32
        assert not value.requires_grad
    assert walk.log_w.shape == (5, 2)
    assert walk.z.shape == (5, 2, 2)


@pytest.mark.parametrize(
    "betas", [[0.0, 0.5, 0.5, 1.0], [0.1, 1.0], [0.0, 0.9], [0.0], [0.0, 0.8, 0.2, 1.0]]
)
def test_temperatures_that_do_not_rise_from_zero_to_one_are_refused(problem, betas):
    _, _, base, log_joint = problem
    steps = torch.full((max(1, len(betas) - 1), 3), 0.1, **F64)
    with pytest.raises(ValueError, match="betas must rise from 0 to 1"):
        ais.forward(base, log_joint, torch.tensor(betas, **F64), 2, steps)


def test_wrong_temperatures_are_shown_the_first_eight_of_them(problem):
    _, _, base, log_joint = problem
    betas = torch.tensor([0.12345, *range(1, 10)], **F64)
    wanted = (
        r"^betas must rise from 0 to 1, got \[0\.123, 1\.0, 2\.0, 3\.0, 4\.0, 5\.0, "
    )
    wanted += r"6\.0, 7\.0\]; sigmoid_schedule makes them$"
    with pytest.raises(ValueError, match=wanted):
        ais.tune(base, log_joint, betas)


def test_nothing_to_walk_or_no_step_is_refused(problem):
    _, _, base, log_joint = problem
    betas, steps = ais.sigmoid_schedule(1), torch.full((1, 3), 0.1, **F64)
    with pytest.raises(ValueError, match="got 0 and 5"):
        ais.forward(base, log_joint, betas, 0, steps)
    with pytest.raises(ValueError, match="got 2 and 0"):
        ais.forward(base, log_joint, betas, 2, steps, num_leapfrog=0)
    with pytest.raises(ValueError, match=r"^z must have .* got \(0, 3, 2\)$"):
        ais.reverse(base, log_joint, betas, torch.zeros(0, 3, 2, **F64), steps)
    with pytest.raises(ValueError, match="got 0 and 5"):
        ais.tune(base, log_joint, betas, num_rounds=0)


def test_annealing_finds_a_mode_that_sampling_from_the_base_does_not():
    torch.manual_seed(8)
    base = nets.gaussian(torch.zeros(1, 1, **F64), 1.0)
    # a draw of the base lies where it has mass once in a hundred million times
    narrow = nets.gaussian(torch.full((1, 1), 6.0, **F64), 0.1)
    betas = ais.sigmoid_schedule(200)
    steps = ais.tune(base, narrow.log_prob, betas)
    annealed = ais.forward(base, narrow.log_prob, betas, 1000, steps).log_w
    z = base.sample((1000,))
    plain = narrow.log_prob(z) - base.log_prob(z)
    assert bounds.iwae(plain).item() < -10
    # few walks carry most of the weight, and a standard error would know little of it;
    # above 5 the logarithm of a mean of one is once in 148 times at the most (Markov)
    assert -1 < bounds.iwae(annealed).item() < 5


def gamma_log_density(z):
    """Gamma(3, 1) without its factor 1/2, and no mass below zero."""
    inside = z > 0
    held = torch.where(inside, z, 1.0)
    return torch.where(inside, 2 * held.log() - held, -torch.inf).sum(-1)


@pytest.mark.parametrize("off", [torch.no_grad, torch.inference_mode])
def test_a_walk_is_the_same_where_autograd_is_switched_off(problem, off):
    _, _, base, log_joint = problem
    betas = ais.sigmoid_schedule(3)
    steps = torch.full((3, 3), 0.2, **F64)
    torch.manual_seed(0)
    wanted = ais.forward(base, log_joint, betas, 5, steps)
    torch.manual_seed(0)
    with off():
        found = ais.forward(base, log_joint, betas, 5, steps)
        ais.tune(base, log_joint, betas)
        ais.reverse(base, log_joint, betas, found.z, steps)
    assert torch.equal(found.log_w, wanted.log_w)


def test_a_prior_without_a_batch_is_refused_with_what_makes_one():
    prior = nets.gaussian(torch.zeros(2, **F64), 1.0)
    said = r"got \(\) and \(2,\); a prior becomes one by \.expand\(\(b,\)\)$"
    betas = ais.sigmoid_schedule(2)
    with pytest.raises(ValueError, match=said):
        ais.tune(prior, prior.log_prob, betas)
    steps = ais.tune(prior.expand((3,)), prior.log_prob, betas)
    assert steps.shape == (2, 3)
    with pytest.raises(ValueError, match=r"got \(3, 2\) and \(\); a prior"):
        ais.tune(torch.distributions.Normal(torch.zeros(3, 2), 1.0), sum, betas)


def test_a_sharpness_that_leaves_equal_temperatures_is_refused():
    assert (ais.sigmoid_schedule(10, 30.0).diff() > 0).all()
    with pytest.raises(
        ValueError, match=r"^sharpness 1000 makes two of 11 temperatures"
    ):
        ais.sigmoid_schedule(10, 1000.0)
    # one step has its two ends, however sharp
    assert ais.sigmoid_schedule(1, 1000.0).tolist() == [0.0, 1.0]


@pytest.mark.parametrize(
    ("wrong", "came"),
    [
        (lambda z: z.square().sum(-1, keepdim=True), r"torch.Size\(\[4, 3, 1\]\)"),
        (lambda z: z, r"torch.Size\(\[4, 3, 2\]\)"),
        (lambda z: z.sum(), r"torch.Size\(\[\]\)"),
        (lambda z: z.detach().sum(-1), r"torch.Size\(\[4, 3\]\)"),
        (lambda z: 0.0, "float"),
    ],
)
def test_a_target_gives_one_differentiable_number_a_point(problem, wrong, came):
    _, _, base, _ = problem
    with pytest.raises(
        ValueError,
        match=r"points \(4, 3, 2\) into differentiable numbers of shape \(4, 3\), "
        f"got {came}; sum over",
    ):
        ais.tune(base, wrong, ais.sigmoid_schedule(2), 4)


@pytest.mark.parametrize(
    "base",
    [
        torch.distributions.Uniform(torch.zeros(2, 1, **F64), 12.0),
        torch.distributions.Exponential(torch.full((2, 1), 0.5, **F64)),
    ],
    ids=["uniform", "exponential"],
)
@pytest.mark.parametrize("checked", [True, False])
def test_a_base_with_an_edge_finds_the_mass_inside(base, checked):
    base = torch.distributions.Independent(base, 1, validate_args=checked)
    base.base_dist._validate_args = checked
    betas = ais.sigmoid_schedule(20)
    torch.manual_seed(0)
    steps = ais.tune(base, gamma_log_density, betas)
    walk = ais.forward(base, gamma_log_density, betas, 2000, steps)
    assert (walk.z > 0).all()
    # the integral of z² exp(-z) is 2; of the uniform all but 5e-4 lies below 12
    mean, stderr = Estimate.of(walk.log_w.exp())
    assert ((mean - 2).abs() < 4 * stderr + 2e-3).all()
    assert (stderr < 0.1).all()


def test_a_target_that_is_no_number_is_refused(problem):
    _, _, base, log_joint = problem

    def lost(z):
        return log_joint(z) + (z[..., 0] > 0).double() * torch.nan

    steps = torch.full((1, 3), 0.1, **F64)
    with pytest.raises(
        ValueError, match=r"^log_target must be a number wherever a chain"
    ):
        ais.forward(base, lost, ais.sigmoid_schedule(1), 20, steps)


@pytest.mark.parametrize(
    "steps",
    [torch.full((2, 3), 0.1), torch.full((1, 3), 0.0), torch.full((1, 3), torch.inf)],
    ids=["shape", "zero", "infinite"],
)
def test_steps_are_positive_one_for_each_temperature_and_example(problem, steps):
    _, _, base, log_joint = problem
    with pytest.raises(
        ValueError, match=r"finite and of shape \(t, b\) = \(1, 3\), got"
    ):
        ais.forward(base, log_joint, ais.sigmoid_schedule(1), 2, steps.double())


@pytest.mark.parametrize("bad", [2.5, True, "3", None])
def test_a_number_of_chains_is_whole(problem, bad):
    _, _, base, log_joint = problem
    with pytest.raises(ValueError, match=r"^num_chains must be a whole number"):
        ais.tune(base, log_joint, ais.sigmoid_schedule(1), bad)
