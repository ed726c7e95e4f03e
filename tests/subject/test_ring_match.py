"""A match on the ring: the same seed, the same game; modes are really found."""

import pytest
import torch

from jensengap import nets, ring


@pytest.fixture
def players():
    torch.manual_seed(0)
    return nets.mlp(2, 16, 1), nets.mlp(3, 16, 2)


def weights_of(net):
    return torch.cat([p.detach().flatten() for p in net.parameters()])


def test_the_same_seed_plays_the_same_game_and_another_one_another(players):
    games = [ring.Match(*players, ring.Rules(seed=seed)) for seed in (1, 1, 2)]
    for game in games:
        game.play(5)
    ends = [weights_of(game.generator) for game in games]
    assert torch.equal(ends[0], ends[1])
    assert not torch.equal(ends[0], ends[2])


def test_five_steps_and_four_more_are_nine(players):
    once, twice = (ring.Match(*players, ring.RULES) for _ in range(2))
    once.play(9)
    twice.play(5)
    twice.play(4)
    assert once.num_steps == twice.num_steps == 9
    assert torch.equal(weights_of(once.generator), weights_of(twice.generator))


def test_the_networks_given_and_the_global_generator_are_left_alone(players):
    before = [weights_of(net) for net in players]
    state = torch.get_rng_state()
    ring.Match(*players, ring.RULES).play(3)
    assert torch.equal(torch.get_rng_state(), state)
    for net, weights in zip(players, before, strict=True):
        assert torch.equal(weights_of(net), weights)


def test_the_ratio_is_that_of_the_first_steps(players):
    # Adam's first step is the rate in every coordinate, whatever the gradient's size
    rules = ring.Rules(rate=1e-3)
    for ratio in (0.1, 3.0):
        game = ring.Match(*players, rules)
        game.play(1, ratio)
        moved = [
            float((weights_of(own) - weights_of(given)).abs().max())
            for own, given in zip(
                (game.discriminator, game.generator), players, strict=True
            )
        ]
        assert moved[0] == pytest.approx(ratio * 1e-3, rel=1e-3)
        assert moved[1] == pytest.approx(1e-3, rel=1e-3)


def test_real_points_lie_on_the_ring(players):
    game = ring.Match(*players, ring.Rules(modes=5, radius=3.0, scale=0.05))
    points = game.sample(2000)
    distance, nearest = torch.cdist(points, ring.centers(game.rules)).min(1)
    assert distance.max() < 0.05 * 6
    counts = nearest.bincount(minlength=5)
    assert (counts - 400).abs().max() < 4 * (400 * 4 / 5) ** 0.5
    assert float(ring.centers(game.rules).norm(dim=1).sub(3).abs().max()) < 1e-6


def test_a_generator_that_is_the_data_covers_every_mode(players):
    game = ring.Match(*players, ring.RULES)
    game.made = lambda: game.real
    assert game.num_covered() == 8
    game.made = lambda: ring.centers(game.rules)[:3].repeat(100, 1)
    assert game.num_covered() == 3


def test_play_finds_modes_that_were_not_covered_at_the_start(players):
    torch.manual_seed(1)
    game = ring.Match(nets.mlp(2, 32, 32, 1), nets.mlp(2, 32, 32, 2), ring.RULES)
    before = game.num_covered()
    game.play(400)
    assert before <= 1
    assert game.num_covered() >= 3


def test_belief_is_d_on_a_grid_from_the_top_left(players):
    game = ring.Match(*players, ring.RULES)
    found = game.belief(2.0, 4)
    corner = torch.tensor([[-1.5, 1.5], [1.5, 1.5], [-1.5, -1.5]])
    with torch.no_grad():
        wanted = game.discriminator(corner).sigmoid()[:, 0]
    torch.testing.assert_close(
        torch.stack([found[0, 0], found[0, 3], found[3, 0]]), wanted
    )


def test_a_penalty_flattens_the_discriminator_where_the_data_are(players):
    """R1 weighs its slope at real points; ten times the weight, less slope."""
    slopes = []
    for gamma in (0.0, 10.0):
        game = ring.Match(*players, ring.RULES, gamma)
        game.play(300)
        real = game.sample(1000).requires_grad_()
        (slope,) = torch.autograd.grad(game.discriminator(real).sum(), real)
        slopes.append(float(slope.square().sum(1).mean()))
    assert slopes[1] < slopes[0] / 2


@pytest.mark.parametrize("gamma", [-1.0, float("nan")])
def test_a_negative_penalty_is_refused(players, gamma):
    with pytest.raises(ValueError, match="gamma must be 0 or more"):
        ring.Match(*players, ring.RULES, gamma)


def test_no_step_is_no_play(players):
    with pytest.raises(ValueError, match="num_steps of at least 1, got 0"):
        ring.Match(*players, ring.RULES).play(0)


@pytest.mark.parametrize(
    ("wrong", "name"),
    [({"scale": 0.0}, "scale"), ({"batch": 0}, "batch"), ({"seed": -1}, "seed")],
)
def test_rules_that_cannot_be_played_are_refused(players, wrong, name):
    with pytest.raises(ValueError, match=rf"seed of 32 bits, got .*; change {name}$"):
        ring.Match(*players, ring.Rules(**wrong))
