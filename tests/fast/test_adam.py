"""Adam for one vector takes the steps of torch's, bit by bit."""

import pytest
import torch
from torch import nn

from jensengap.fast import adam


def gradients(size, number):
    generator = torch.Generator().manual_seed(0)
    return torch.randn(number, size, generator=generator)


def walk(optimizer, vector, along):
    for gradient in along:
        vector.grad = gradient.clone()
        optimizer.step()
    return vector.detach().clone()


@pytest.mark.parametrize("betas", [(0.9, 0.999), (0.5, 0.99)])
def test_every_step_is_that_of_torch(betas):
    along = gradients(1003, 20)
    theirs, ours = (nn.Parameter(torch.linspace(-1, 1, 1003)) for _ in range(2))
    kind = {"betas": betas, "eps": 1e-6}
    walk(torch.optim.Adam([theirs], 0.01, fused=True, **kind), theirs, along)
    walk(adam.Adam(ours, 0.01, **kind), ours, along)
    assert ours.equal(theirs)
    # and both have moved, by about the rate a step
    assert 0.01 < (ours - torch.linspace(-1, 1, 1003)).abs().max() < 0.2


def test_the_formula_in_double_precision():
    along = gradients(50, 7).double()
    vector = nn.Parameter(torch.zeros(50).double())
    walk(adam.Adam(vector, 0.1), vector, along)
    x = m = v = torch.zeros(50).double()
    for t, g in enumerate(along, 1):
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        x = x - 0.1 * (m / (1 - 0.9**t)) / ((v / (1 - 0.999**t)).sqrt() + 1e-8)
    torch.testing.assert_close(vector.detach(), x, rtol=1e-12, atol=1e-14)


def test_a_state_of_either_is_a_state_of_the_other():
    along = gradients(64, 6)
    first, second = (nn.Parameter(torch.zeros(64)) for _ in range(2))
    ours, theirs = adam.Adam(first, 0.01), torch.optim.Adam([second], 0.01, fused=True)
    walk(ours, first, along[:3])
    walk(theirs, second, along[:3])
    kept, also = ours.state_dict(), theirs.state_dict()
    ours.load_state_dict(also)
    theirs.load_state_dict(kept)
    assert walk(ours, first, along[3:]).equal(walk(theirs, second, along[3:]))


def test_a_schedule_sets_the_rate():
    vector = nn.Parameter(torch.zeros(3))
    optimizer = adam.Adam(vector, 1.0)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 0.1**step)
    places = []
    for _ in range(3):
        vector.grad = torch.ones(3)
        optimizer.step()
        schedule.step()
        places.append(float(vector.detach()[0]))
    # the gradient is always the same, so each step is as long as the rate
    assert places == pytest.approx([-1, -1.1, -1.11], abs=1e-6)


def test_no_gradient_is_no_step_and_a_closure_gives_one():
    vector = nn.Parameter(torch.ones(3))
    optimizer = adam.Adam(vector, 0.1)
    optimizer.step()
    assert vector.detach().equal(torch.ones(3))

    def closure():
        loss = vector.square().sum()
        loss.backward()
        return loss

    assert optimizer.step(closure) == 3
    assert (vector < 1).all()


def test_a_rate_that_torch_refuses_is_refused():
    with pytest.raises(ValueError, match="learning rate"):
        adam.Adam(nn.Parameter(torch.zeros(2)), -1.0)
