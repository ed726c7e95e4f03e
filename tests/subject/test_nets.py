"""Heads turn numbers into the distributions that their names promise."""

import copy
import io
import itertools
import math
import pickle

import numpy as np
import pytest
import torch
from examples import given
from hypothesis import strategies as st
from torch import nn

from jensengap import nets

F64 = {"dtype": torch.float64}


def test_a_perceptron_is_linear_maps_with_an_activation_between_them():
    net = nets.mlp(3, 5, 4, 2, activation=nn.ReLU)
    kinds = [type(layer) for layer in net]
    assert kinds == [nn.Linear, nn.ReLU, nn.Linear, nn.ReLU, nn.Linear]
    assert net(torch.ones(7, 6, 3)).shape == (7, 6, 2)
    assert isinstance(nets.mlp(2, 2, 2)[1], nn.Tanh)


@pytest.mark.parametrize("dims", [(), (3,), (3, 0), (3, -1, 2)])
def test_a_perceptron_without_a_size_is_refused(dims):
    with pytest.raises(ValueError, match="two or more sizes, each at least 1") as error:
        nets.mlp(*dims)
    assert str(dims) in str(error.value)


def test_the_probabilities_of_all_binary_images_sum_to_one():
    p = nets.bernoulli(torch.tensor([0.3, -2.0, 1.0], **F64))
    images = torch.tensor(list(itertools.product([0.0, 1.0], repeat=3)), **F64)
    assert abs(p.log_prob(images).exp().sum() - 1) < 1e-14
    wanted = torch.sigmoid(torch.tensor([0.3, 2.0, 1.0], **F64)).log().sum()
    assert abs(p.log_prob(torch.tensor([1.0, 0.0, 1.0], **F64)) - wanted) < 1e-14


def test_a_grey_pixel_has_no_bernoulli_probability():
    with pytest.raises(
        ValueError, match=r"^value must be 0 or 1, got 0\.5 and in all 1 such of 2"
    ):
        nets.bernoulli(torch.zeros(2)).log_prob(torch.tensor([0.0, 0.5]))


@pytest.mark.parametrize("scale", [0.7, torch.tensor([0.7, 0.7, 0.7], **F64)])
def test_a_gaussian_is_its_density_summed_over_dimensions(scale):
    loc = torch.tensor([[0.0, 1.0, -2.0], [3.0, 0.5, 0.0]], **F64)
    x = torch.tensor([0.2, 0.3, 0.4], **F64)
    wanted = -((x - loc) ** 2) / (2 * 0.7**2) - math.log(0.7 * math.sqrt(2 * math.pi))
    value = nets.gaussian(loc, scale).log_prob(x)
    torch.testing.assert_close(value, wanted.sum(-1), rtol=0, atol=1e-14)


@pytest.mark.parametrize("scale", [0.0, -0.5, math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("among_good_ones", [False, True])
def test_a_scale_that_is_none_is_refused_by_its_value(scale, among_good_ones):
    given_scale = torch.tensor([1.0, scale, 2.0]) if among_good_ones else scale
    wanted = f"positive and finite, got {scale:g}; it is a standard deviation"
    if math.isnan(scale) and not among_good_ones:
        wanted = "^scale must be a number, got NaN"
    with pytest.raises(ValueError, match=wanted):
        nets.gaussian(torch.zeros(3), given_scale)


def test_a_scale_takes_dtype_and_device_of_its_means(default_double):
    loc = torch.zeros(2, 3, dtype=torch.float32, device="cpu")
    with torch.device("meta"):  # a default that nothing can be computed on
        distributions = [nets.gaussian(loc, 0.7)]
    distributions += [nets.gaussian(loc, torch.full((3,), 0.7, **F64))]
    for q in distributions:
        assert q.stddev.dtype == torch.float32
        assert q.stddev.device == loc.device


def test_the_head_reads_means_first_and_then_softplus_scales():
    numbers = torch.tensor([[1.0, -2.0, 5.0, 0.3, -4.0, 0.0]], **F64)
    q = nets.gaussian_head(numbers)
    assert q.mean.tolist() == [[1.0, -2.0, 5.0]]
    wanted = torch.tensor([[0.3, -4.0, 0.0]], **F64).exp().log1p() + 1e-4
    torch.testing.assert_close(q.stddev, wanted, rtol=0, atol=1e-14)
    assert q.event_shape == (3,)


@given(st.floats(-1e4, 1e4))
def test_no_number_makes_the_heads_scale_vanish_or_overflow(raw):
    scale = nets.gaussian_head(torch.tensor([0.0, raw])).stddev
    assert nets.SCALE_FLOOR * (1 - 1e-6) <= scale.item() <= 1e4 + 1
    assert scale.isfinite()


@pytest.mark.parametrize("columns", [1, 3])
def test_an_odd_number_of_columns_is_refused(columns):
    with pytest.raises(ValueError, match=f"even number of columns.*got {columns}"):
        nets.gaussian_head(torch.zeros(2, 8, columns))


def test_a_conditional_hands_the_networks_numbers_to_the_head():
    net = nets.mlp(3, 4)
    conditional = nets.Conditional(net, nets.gaussian_head)
    x = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    assert torch.equal(conditional(x).mean, net(x)[:, :2])
    assert len(list(conditional.parameters())) == 2


def test_the_prior_is_standard_normal_and_follows_the_dtype():
    prior = nets.StandardNormal(3).double()
    z = torch.tensor([0.5, -1.0, 2.0], **F64)
    wanted = -0.5 * (z**2).sum() - 1.5 * math.log(2 * math.pi)
    assert abs(prior().log_prob(z) - wanted) < 1e-14
    assert not list(prior.parameters())


@pytest.mark.parametrize("latent_dim", [0, -1])
def test_a_prior_without_dimensions_is_refused(latent_dim):
    with pytest.raises(ValueError, match=f"at least 1, got {latent_dim}"):
        nets.StandardNormal(latent_dim)


def test_a_decoder_that_starts_at_the_mean_begins_with_the_pixels_frequencies():
    net = nets.mlp(2, 3, 4)
    nn.init.zeros_(net[-1].weight)
    probs = torch.tensor([0.0, 0.25, 0.5, 1.0])
    nets.start_at_mean(net, probs)
    start = nets.bernoulli(net(torch.randn(2))).mean
    wanted = torch.tensor([0.0005, 0.25025, 0.5, 0.9995])
    torch.testing.assert_close(start, wanted, rtol=0, atol=1e-6)
    assert net[-1].bias.requires_grad


def test_probabilities_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"\(4,\) outputs.*shape \(3,\)"):
        nets.start_at_mean(nets.mlp(2, 4), torch.zeros(3))


@pytest.mark.parametrize("wrong", [-0.1, 1.5, math.nan])
def test_what_is_no_probability_is_refused_and_moves_nothing(wrong):
    net = nets.mlp(2, 2)
    before = net[-1].bias.clone()
    with pytest.raises(ValueError, match=r"must be in \[0, 1\].*unit_pixels"):
        nets.start_at_mean(net, torch.tensor([0.5, wrong]))
    assert torch.equal(net[-1].bias, before)


def test_a_fixed_scale_turns_the_likelihood_into_a_squared_error():
    torch.manual_seed(0)
    loc, x = torch.randn(4, 3, **F64), torch.randn(4, 3, **F64)
    image = nets.fixed_scale(0.7)(loc)
    constant = -3 * math.log(0.7 * math.sqrt(2 * math.pi))
    wanted = constant - (x - loc).square().sum(1) / (2 * 0.7**2)
    torch.testing.assert_close(image.log_prob(x), wanted)


@pytest.mark.parametrize("scale", [1e-3, 0.3, 1.0, 50.0, 1e4])
def test_a_shared_scale_starts_where_it_was_told_and_learns(scale):
    head = nets.SharedScale(scale)
    assert head.scale.item() == pytest.approx(scale, rel=1e-4)
    loc = torch.zeros(2, 3)
    assert head(loc).stddev.unique().numel() == 1
    head(loc).log_prob(torch.full((2, 3), 3 * scale)).sum().backward()
    assert head.raw.grad != 0
    assert [name for name, _ in head.named_parameters()] == ["raw"]


def test_a_shared_scale_that_is_told_nothing_starts_at_one():
    assert nets.SharedScale().scale.item() == pytest.approx(1.0, rel=1e-6)


def test_the_best_shared_scale_is_the_root_of_the_mean_squared_error():
    torch.manual_seed(0)
    head, x = nets.SharedScale(1.0, floor=0.0), 0.2 * torch.randn(100, 5)
    optimizer = torch.optim.Adam(head.parameters(), lr=0.05)
    for _ in range(300):
        optimizer.zero_grad()
        (-head(torch.zeros_like(x)).log_prob(x).mean()).backward()
        optimizer.step()
    assert head.scale.item() == pytest.approx(x.square().mean().sqrt().item(), rel=1e-3)


def test_no_step_takes_a_shared_scale_below_its_floor():
    head = nets.SharedScale(0.5, floor=0.1)
    with torch.no_grad():
        head.raw.fill_(-200.0)
    assert head.scale.item() == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("scale", "floor"), [(0.1, 0.1), (1.0, -0.1), (math.inf, 0.1), (math.nan, 0.1)]
)
def test_a_shared_scale_starts_above_its_floor(scale, floor):
    said = f"got floor={floor} and scale={scale}$"
    if math.isnan(scale):
        said = "^scale must be a number, got NaN"
    with pytest.raises(ValueError, match=said):
        nets.SharedScale(scale, floor)


def test_scores_of_all_pairs_are_those_of_the_distribution_one_by_one():
    torch.manual_seed(0)
    logits = 40 * torch.randn(5, 9, dtype=torch.float64)  # some of them saturate
    x = torch.rand(7, 9, dtype=torch.float64).round()
    wanted = nets.bernoulli(logits[:, None]).log_prob(x)
    found = nets.bernoulli_log_probs(logits, x)
    torch.testing.assert_close(found, wanted, rtol=1e-13, atol=1e-11)


def test_scores_are_exact_where_torch_would_round_the_softplus():
    logits = torch.full((1, 9), 21.0, dtype=torch.float64)
    wanted = -9 * torch.log1p(torch.exp(logits[0, 0]))
    found = nets.bernoulli_log_probs(logits, torch.zeros(1, 9, dtype=torch.float64))
    torch.testing.assert_close(found[0, 0], wanted, rtol=0, atol=1e-12)


def by_file(thing):
    file = io.BytesIO()
    torch.save(thing, file)
    file.seek(0)
    return torch.load(file, weights_only=False)


@pytest.mark.parametrize(
    "copied",
    [lambda thing: pickle.loads(pickle.dumps(thing)), by_file, copy.deepcopy],
    ids=["pickle", "torch.save", "deepcopy"],
)
@pytest.mark.parametrize(
    "head",
    [nets.fixed_scale(0.7), nets.SharedScale(0.7), nets.gaussian_head, nets.bernoulli],
    ids=["fixed_scale", "SharedScale", "gaussian_head", "bernoulli"],
)
def test_a_model_travels_with_its_head(copied, head):
    torch.manual_seed(0)
    model, x = nets.Conditional(nets.mlp(3, 4), head), torch.randn(5, 3)
    other = copied(model)
    assert torch.equal(other(x).mean, model(x).mean)
    assert torch.equal(other(x).variance, model(x).variance)


@pytest.mark.parametrize("scale", [0.0, -1.0, math.inf])
def test_a_fixed_scale_that_is_none_is_refused_at_once(scale):
    with pytest.raises(ValueError, match=f"positive and finite, got {scale:g}; it is"):
        nets.fixed_scale(scale)


@pytest.mark.parametrize(
    "make", [lambda x: nets.gaussian(x, 1.0), nets.gaussian_head, nets.bernoulli]
)
def test_numbers_that_are_none_are_blamed_themselves(make):
    bad = torch.tensor([[0.0, 1.0], [math.nan, 2.0]])
    with pytest.raises(ValueError, match=r"must not be NaN, got 1 such among 4; look"):
        make(bad)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (torch.zeros(2, 5), r"given, got torch\.float32 of shape \(2, 5\); its param"),
        (
            torch.zeros(2, 3, **F64),
            r"got torch\.float64 .* its parameters are torch\.fl",
        ),
        (torch.zeros(2, 3).long(), "^the network must take .*int64"),
        (torch.tensor(1.0), r"^the network must take .*shape \(\)"),
        ([[1.0, 2.0, 3.0]], "^given must be a tensor of shape"),
    ],
)
def test_what_a_network_does_not_take_is_refused_in_a_sentence(wrong, said):
    with pytest.raises(ValueError, match=said):
        nets.Conditional(nets.mlp(3, 4), nets.gaussian_head)(wrong)


@pytest.mark.parametrize("size", [2.5, True, "3", None])
def test_a_size_is_whole(size):
    for build in (nets.mlp, nets.StandardNormal, nets.to_image, nets.from_image):
        given_sizes = (size, size) if build is nets.mlp else (size,)
        with pytest.raises(ValueError, match="a whole number, got"):
            build(*given_sizes)
    assert len(nets.mlp(np.int64(3), torch.tensor(4), 2)) == 3


def test_a_scale_of_each_example_is_broadcast():
    loc, scale = torch.zeros(4, 3), torch.rand(4, 1) + 0.5
    assert torch.equal(nets.gaussian(loc, scale).stddev, scale.expand(4, 3))
    with pytest.raises(ValueError, match=r"^scale must have the shape"):
        nets.gaussian(loc, torch.ones(4))
