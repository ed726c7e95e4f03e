"""The two passes through a perceptron against autograd, and one vector of parts."""

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


def test_the_vector_holds_the_parameters_and_moves_them():
    net = network()
    before = [each.clone() for each in net.parameters()]
    vector = perceptron.flatten(list(net.parameters()))
    assert torch.equal(vector.data, torch.cat([each.flatten() for each in before]))
    with torch.no_grad():
        vector += 1
    for one, was in zip(net.parameters(), before, strict=True):
        assert torch.equal(one, was + 1)


def test_parts_have_the_shapes_asked_for_and_no_memory_of_their_own():
    vector, like = torch.arange(8.0), [torch.empty(2, 3), torch.empty(2)]
    first, second = perceptron.parts(vector, like)
    assert first.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert second.tolist() == [6, 7]
    second.zero_()
    assert vector[6:].tolist() == [0, 0]
