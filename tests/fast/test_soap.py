"""SOAP against a singular value decomposition, Adam, and a rotation of all weights."""

import copy
import pickle

import numpy as np
import pytest
import torch
from torch import nn

from jensengap.fast import soap


def random(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def zeros(*shape):
    return nn.Parameter(torch.zeros(shape, dtype=torch.float64))


def walk(optimizer, along):
    """Take a step along each gradient, split over the parameters; return the places."""
    params = optimizer.param_groups[0]["params"]
    places = []
    for gradient in along:
        parts = gradient.split([each.numel() for each in params])
        for each, part in zip(params, parts, strict=True):
            each.grad = part.view_as(each).clone()
        optimizer.step()
        places.append(torch.cat([each.detach().flatten() for each in params]))
    return torch.stack(places)


def test_the_first_move_is_the_sign_along_the_singular_vectors():
    first, second = random(2, 5, 5)
    optimizer = soap.Soap([zeros(5, 5)], 0.1, eps=0.0)
    places = walk(optimizer, [first.flatten(), second.flatten()])
    assert (places[0] == 0).all()
    u, _, vt = torch.linalg.svd(first)
    # both moments hold one gradient, so their quotient is its sign
    wanted = -0.1 * u @ (u.T @ second @ vt.T).sign() @ vt
    torch.testing.assert_close(places[1].view(5, 5), wanted, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("max_size", "shape"), [(0, (3, 4)), (2, (3, 4)), (9, (12,))])
def test_where_no_basis_turns_it_is_adam_one_step_later(max_size, shape):
    along = random(120, 12)
    kind = {"betas": (0.8, 0.95), "eps": 1e-6}
    found = walk(soap.Soap([zeros(*shape)], 0.1, max_size=max_size, **kind), along)
    wanted = walk(torch.optim.Adam([zeros(*shape)], 0.1, **kind), along[1:])
    assert (found[0] == 0).all()
    torch.testing.assert_close(found[1:], wanted, rtol=1e-11, atol=1e-12)


# a first gradient of full rank on each side that turns: else its axes are anyone's
@pytest.mark.parametrize(("rows", "max_size"), [(3, 9), (5, 3)])
def test_it_does_not_see_a_rotation_of_the_weights(rows, max_size):
    """The path in rotated weights is the rotated path, over many turns of the bases."""
    target, steep = random(rows, 3, seed=1), random(rows, rows, seed=2)
    still = torch.eye(rows).double(), torch.eye(3).double()
    turned = [torch.linalg.qr(random(n, n, seed=n))[0] for n in (rows, 3)]
    if rows > max_size:
        turned[0] = still[0]

    def path(left, right):
        weight = zeros(rows, 3)
        optimizer = soap.Soap([weight], 0.01, max_size=max_size)
        places = []
        for number in range(120):
            w = left.T @ weight.detach() @ right.T
            slope = steep.T @ steep @ (w - target) + random(rows, 3, seed=10 + number)
            weight.grad = left @ slope @ right
            optimizer.step()
            places.append(left.T @ weight.detach() @ right.T)
        return torch.stack(places)

    plain = path(*still)
    torch.testing.assert_close(path(*turned), plain, rtol=0, atol=1e-8)
    assert (plain[-1] - target).norm() < 0.9 * target.norm()


def test_it_is_ahead_of_adam_where_the_valley_is_oblique():
    turn = torch.linalg.qr(random(20, 20, seed=5))[0]
    hessian = turn @ torch.diag(torch.logspace(0, -3, 20).double()) @ turn.T
    target = random(20, 4, seed=6)

    def loss(make):
        weight = zeros(20, 4)
        optimizer = make([weight])
        schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, 400)
        for _ in range(400):
            weight.grad = hessian @ (weight.detach() - target)
            optimizer.step()
            schedule.step()
        off = weight.detach() - target
        return float((off * (hessian @ off)).sum())

    ours = loss(lambda params: soap.Soap(params, 0.05))
    theirs = loss(lambda params: torch.optim.Adam(params, 0.05, (0.9, 0.99)))
    assert ours < theirs / 10


def test_a_state_that_is_kept_goes_on_to_the_same_place(tmp_path):
    along = random(70, 21)
    whole, began, goes_on = (soap.Soap([zeros(5, 3), zeros(6)], 0.1) for _ in "123")
    wanted = walk(whole, along)
    walk(began, along[:47])
    # through a file, read without running code
    torch.save(began.state_dict(), tmp_path / "state")
    goes_on.load_state_dict(torch.load(tmp_path / "state", weights_only=True))
    with torch.no_grad():
        for mine, other in zip(
            goes_on.param_groups[0]["params"],
            began.param_groups[0]["params"],
            strict=True,
        ):
            mine.copy_(other)
    assert walk(goes_on, along[47:]).equal(wanted[47:])


@pytest.mark.parametrize(
    "carry", [copy.deepcopy, lambda both: pickle.loads(pickle.dumps(both))]
)
def test_one_that_travels_with_its_weights_goes_on_as_it_would_have(carry):
    along, here = random(30, 21), soap.Soap([zeros(5, 3), zeros(6)], 0.1)
    walk(here, along[:20])
    there = carry(here)
    assert walk(there, along[20:]).equal(walk(here, along[20:]))


def test_the_first_gradient_enters_no_moment_of_a_bias():
    far, near = random(2, 6)
    bias = zeros(6)
    optimizer = soap.Soap([bias], 0.1, eps=0.0)
    places = walk(optimizer, [1e6 * far, near])
    assert (places[0] == 0).all()
    # Adam's first step is the rate along the sign
    torch.testing.assert_close(places[1], -0.1 * near.sign())


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_goes_downhill_as_single_does(dtype):
    target = random(6, 4, seed=3).float()

    def left(kind):
        weight = nn.Parameter(torch.zeros(6, 4, dtype=kind))
        optimizer = soap.Soap([weight], 0.05, eps=1e-4)
        for _ in range(60):
            weight.grad = weight.detach() - target.to(kind)
            optimizer.step()
        return float((weight.detach().float() - target).norm() / target.norm())

    # eight bits of a weight of size one, summed over sixty steps, are a few percent
    assert left(dtype) == pytest.approx(left(torch.float32), abs=0.05)
    assert left(torch.float32) < 0.5


def test_sparse_gradients_and_complex_weights_are_refused():
    dense, table = zeros(2, 2), nn.Embedding(4, 2, sparse=True)
    optimizer = soap.Soap([dense, table.weight], 0.1)
    optimizer.zero_grad()
    (dense.sum() + table(torch.tensor([1])).sum()).backward()
    with pytest.raises(ValueError, match="got a sparse one; take"):
        optimizer.step()
    assert not optimizer.state
    with pytest.raises(ValueError, match="wanted real parameters"):
        soap.Soap([nn.Parameter(torch.ones(2, dtype=torch.complex64))], 0.1)


def test_settings_may_be_numbers_of_numpy():
    along = random(5, 12)
    plain = soap.Soap([zeros(3, 4)], 0.5, eps=0.25, max_size=3)
    numpy = soap.Soap(
        [zeros(3, 4)], np.float32(0.5), eps=np.float64(0.25), max_size=np.int64(3)
    )
    assert walk(plain, along).equal(walk(numpy, along))


def test_no_gradient_is_no_step_and_a_closure_gives_one():
    weight = zeros(2, 2)
    optimizer = soap.Soap([weight], 0.1)
    optimizer.step()
    assert not optimizer.state[weight]

    def closure():
        loss = (weight - 1).square().sum()
        loss.backward()
        return loss

    assert optimizer.step(closure) == 4
    assert (weight == 0).all()
    optimizer.step(closure)
    assert (weight > 0).all()


@pytest.mark.parametrize(
    "words",
    [{"lr": -1.0}, {"eps": -1.0}, {"betas": (1.0, 0.9)}, {"betas": (0.9, -0.1)}],
)
def test_numbers_out_of_range_are_refused(words):
    with pytest.raises(ValueError, match="wanted a learning rate"):
        soap.Soap([zeros(2, 2)], **{"lr": 0.1, **words})


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"lr": float("nan")}, "lr must be a number, got NaN"),
        ({"max_size": 2.5}, "max_size must be a whole number"),
        ({"max_size": -1}, "max_size must be at least 0, got -1"),
    ],
)
def test_what_is_no_setting_is_refused(words, message):
    with pytest.raises(ValueError, match=message):
        soap.Soap([zeros(2, 2)], **{"lr": 0.1, **words})
