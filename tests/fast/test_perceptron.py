"""The two passes through a perceptron against autograd, and room for the gradients."""

import pytest
import torch
from torch import nn

from jensengap import nets
from jensengap.fast import perceptron


def network(hidden=(7, 5), activation=nn.Tanh):
    torch.manual_seed(0)
    return nets.mlp(4, *hidden, 3, activation=activation).double()


@pytest.mark.parametrize("activation", [nn.Tanh, nn.ReLU])
@pytest.mark.parametrize("hidden", [(7, 5), (6,), ()])
def test_both_passes_are_those_of_autograd(hidden, activation):
    net = network(hidden, activation)
    x = torch.randn(10, 4, dtype=torch.float64, requires_grad=True)
    slope = torch.randn(10, 3, dtype=torch.float64)
    wanted = torch.autograd.grad((net(x) * slope).sum(), [x, *net.parameters()])
    mlp = perceptron.MLP(net)
    into = [torch.full_like(each, torch.nan) for each in net.parameters()]
    with torch.no_grad():
        passed = mlp.forward(x)
        to_input = mlp.backward(passed, slope, into, to_input=True)
    assert len(passed) == len(hidden) + 2
    torch.testing.assert_close(passed[-1], net(x))
    for got, want in zip([to_input, *into], wanted, strict=True):
        torch.testing.assert_close(got, want, rtol=1e-12, atol=1e-14)


def test_a_gradient_that_nobody_wants_is_not_returned():
    net = network()
    mlp = perceptron.MLP(net)
    x, slope = torch.randn(2, 4).double(), torch.ones(2, 3).double()
    into = [torch.empty_like(each) for each in net.parameters()]
    with torch.no_grad():
        passed = mlp.forward(x)
        assert mlp.backward(passed, slope, into, to_input=False) is None


def test_a_step_of_the_network_is_seen_by_its_perceptron():
    net = network()
    mlp = perceptron.MLP(net)
    x = torch.randn(2, 4).double()
    with torch.no_grad():
        net[0].weight.add_(1.0)
        torch.testing.assert_close(mlp.forward(x)[-1], net(x))


@pytest.mark.parametrize(
    "net",
    [
        nn.Sequential(nn.Linear(2, 3), nn.Tanh()),
        nn.Sequential(
            nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 1)
        ),
        nn.Sequential(nn.Linear(2, 3), nn.Sigmoid(), nn.Linear(3, 1)),
        nn.Sequential(nn.Linear(2, 3, bias=False)),
        nn.Sequential(nn.Tanh()),
        nn.Sequential(),
    ],
)
def test_networks_that_are_no_perceptrons_are_refused_by_their_layers(net):
    with pytest.raises(ValueError, match="wanted linear layers") as caught:
        perceptron.MLP(net)
    assert str([type(each).__name__ for each in net]) in str(caught.value)


def test_room_for_gradients_has_the_shapes_asked_for_in_one_piece_of_memory():
    like = [torch.empty(2, 3).double(), torch.empty(2).double()]
    first, second = perceptron.together(like)
    assert (first.shape, second.shape) == ((2, 3), (2,))
    assert first.dtype == second.dtype == torch.float64
    first.zero_()
    second.copy_(torch.tensor([1.0, 2.0]))
    assert first.eq(0).all()
    whole = first.untyped_storage()
    assert whole.data_ptr() == second.untyped_storage().data_ptr()
    assert second.storage_offset() == 6
