"""A network written as text is read back as it was rounded, or not at all."""

import base64
import zlib

import pytest
import torch
from torch import nn

from jensengap import nets
from jensengap.markup import parameters


@pytest.fixture
def tensors():
    torch.manual_seed(0)
    return [torch.randn(3, 4), torch.randn(5), torch.zeros(0, 2), torch.randn(2, 1, 2)]


@pytest.mark.parametrize("kind", parameters.TYPES)
def test_what_is_read_is_what_was_written_rounded_once(tensors, kind):
    packed = parameters.pack(tensors, kind)
    found = parameters.unpack(packed)
    assert packed["type"] == kind
    assert packed["shapes"] == [[3, 4], [5], [0, 2], [2, 1, 2]]
    for one, other in zip(found, tensors, strict=True):
        assert torch.equal(one, other.to(parameters.TYPES[kind]))


def test_bytes_are_little_endian_and_the_checksum_is_theirs():
    packed = parameters.pack([torch.tensor([1.0, -2.0])])
    data = base64.b64decode(packed["base64"])
    assert data == bytes.fromhex("0000803f000000c0")
    assert packed["crc"] == zlib.crc32(data)


def test_the_same_numbers_make_the_same_text(tensors):
    assert parameters.pack(tensors) == parameters.pack([t.clone() for t in tensors])


def test_parameters_that_learn_are_written_as_they_stand():
    net = nets.mlp(2, 3, 1)
    found = parameters.unpack(parameters.network(net)["weights"])
    for one, other in zip(found, net.parameters(), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize(
    "harm", [lambda text: text[:-8], lambda text: "Q" + text[1:], lambda text: text * 2]
)
def test_damaged_bytes_are_refused(tensors, harm):
    packed = parameters.pack(tensors)
    packed["base64"] = harm(packed["base64"])
    with pytest.raises(ValueError, match="wanted 84 bytes with checksum"):
        parameters.unpack(packed)


@pytest.mark.parametrize("worst", [torch.nan, torch.inf, 7e4])
def test_a_number_that_the_kind_cannot_hold_is_refused(worst):
    with pytest.raises(ValueError, match="must be finite in float16"):
        parameters.pack([torch.tensor([1.0, worst])], "float16")


@pytest.mark.parametrize(("given", "kind"), [([], "float32"), ([1.0], "float8")])
def test_nothing_and_an_unknown_kind_are_refused(given, kind):
    with pytest.raises(ValueError, match=r"needs a tensor, and one of float16"):
        parameters.pack([torch.tensor(x) for x in given], kind)


def test_layers_are_named_with_the_activation_behind_each():
    net = nn.Sequential(
        nn.Linear(2, 3),
        nn.LeakyReLU(0.2),
        nn.Linear(3, 4),
        nn.Linear(4, 5),
        nn.ReLU(),
        nn.Linear(5, 1),
    )
    named = parameters.layers(net, "sigmoid")
    assert [(n["inputs"], n["outputs"]) for n in named] == [
        (2, 3),
        (3, 4),
        (4, 5),
        (5, 1),
    ]
    assert [n["activation"] for n in named] == [
        "leaky_relu",
        "identity",
        "relu",
        "sigmoid",
    ]
    assert named[0]["slope"] == 0.2


def test_an_activation_of_the_network_itself_is_the_last():
    net = nn.Sequential(nn.Linear(2, 1), nn.Tanh())
    assert parameters.layers(net, "sigmoid")[0]["activation"] == "tanh"


@pytest.mark.parametrize(
    "net",
    [
        nn.Sequential(nn.Linear(2, 2), nn.Dropout()),
        nn.Sequential(nn.Tanh(), nn.Linear(2, 2)),
        nn.Sequential(nn.Linear(2, 2, bias=False)),
        nn.Sequential(nn.Linear(2, 2), nn.Softplus()),
    ],
)
def test_what_a_page_cannot_run_is_refused(net):
    with pytest.raises(ValueError, match=r"linear maps with a bias.*got"):
        parameters.layers(net)


def test_two_activations_in_a_row_are_refused():
    with pytest.raises(ValueError, match="in a row, the second is ReLU"):
        parameters.layers(nn.Sequential(nn.Linear(1, 1), nn.Tanh(), nn.ReLU()))


def test_a_network_of_nothing_is_refused():
    with pytest.raises(ValueError, match="needs a linear map, got none"):
        parameters.layers(nn.Sequential())
