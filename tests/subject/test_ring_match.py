"""A match on the ring: the same seed, the same game; modes are really found."""

import copy
import pickle

import numpy as np
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


@pytest.mark.parametrize("gamma", [-1.0, float("inf")])
def test_a_negative_penalty_is_refused(players, gamma):
    with pytest.raises(ValueError, match="gamma must be 0 or more"):
        ring.Match(*players, ring.RULES, gamma)


@pytest.mark.parametrize("protocol", [2, pickle.HIGHEST_PROTOCOL, None])
def test_a_game_that_has_travelled_goes_on_as_it_would_have(players, protocol):
    here = ring.Match(*players, ring.RULES, 0.1)
    here.play(5)
    if protocol is None:
        there = copy.deepcopy(here)
    else:
        there = pickle.loads(pickle.dumps(here, protocol))
    for game in (here, there):
        game.play(5, 0.5)
    assert there.num_steps == here.num_steps == 10
    assert torch.equal(there.made(), here.made())
    assert torch.equal(there.sample(7), here.sample(7))


def test_networks_play_in_their_own_dtype(players):
    game = ring.Match(*(net.double() for net in players), ring.RULES)
    game.play(2)
    assert game.made().dtype == game.belief(2.0, 3).dtype == torch.float64
    assert 0 <= game.num_covered() <= 8


def test_rules_may_be_numbers_of_numpy(players):
    plain = ring.Rules(modes=5, batch=8, seed=3)
    kinds = {"modes": np.int64(5), "batch": np.int32(8), "seed": np.uint32(3)}
    games = [ring.Match(*players, rules) for rules in (plain, ring.Rules(**kinds))]
    for game in games:
        game.play(np.int64(2), np.float32(1))
    assert torch.equal(games[0].made(), games[1].made())
    assert games[1].rules == plain


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        (((3, 1), (3, 2)), "discriminator from .*is their order right"),
        (((2, 1), (3, 3)), r"got \(320, 1\) and \(320, 3\)"),
        (((2, 2), (3, 2)), r"got \(320, 2\) and \(320, 2\)"),
    ],
)
def test_networks_that_do_not_go_together_are_refused(sizes, message):
    with pytest.raises(ValueError, match=message):
        ring.Match(*(nets.mlp(*each) for each in sizes), ring.RULES)


def test_a_generator_that_does_not_say_its_noise_is_refused(players):
    odd = torch.nn.Sequential(torch.nn.Tanh(), torch.nn.Linear(3, 2))
    with pytest.raises(ValueError, match=r"must begin with nn\.Linear, got Tanh"):
        ring.Match(players[0], odd, ring.RULES)


@pytest.mark.parametrize("ratio", [-1.0, float("inf")])
def test_a_ratio_is_not_negative(players, ratio):
    with pytest.raises(ValueError, match="ratio must be 0 or more"):
        ring.Match(*players, ring.RULES).play(1, ratio)


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
