"""What the page computes is what torch computes: outputs, gradients, and steps."""

import math
import zlib

import pytest
import torch
from opened import opened, written
from torch import nn

from jensengap import gan, metrics, nets, ring
from jensengap.markup import parameters, scripted

SCRIPTS = ("numbers", "network", "game")
KINDS = {
    "Float32Array": ("float32", torch.float32, 1e-5),
    "Float64Array": ("float64", torch.float64, 1e-12),
}


@pytest.fixture(scope="module")
def run(browser, tmp_path_factory):
    """Evaluate a script in a page that has the package's scripts and nothing else."""
    path = written(tmp_path_factory.mktemp("page"))
    with opened(browser, path) as watched:
        for name in SCRIPTS:
            watched.page.add_script_tag(content=scripted.script(name))
        yield watched.page.evaluate
        assert watched.complaints == []


NETS = {
    "one map": lambda: nn.Sequential(nn.Linear(3, 2)),
    "tanh": lambda: nets.mlp(2, 16, 9),
    "relu, two hidden layers": lambda: nets.mlp(4, 12, 12, 3, activation=nn.ReLU),
    "leaky": lambda: nn.Sequential(
        nn.Linear(2, 7),
        nn.LeakyReLU(0.2),
        nn.Linear(7, 5),
        nn.LeakyReLU(),
        nn.Linear(5, 1),
    ),
    "sigmoid at the end": lambda: nn.Sequential(
        nn.Linear(3, 8), nn.Sigmoid(), nn.Linear(8, 4), nn.Sigmoid()
    ),
}

FORWARD_BACKWARD = """({net, kind, x, upstream}) => {
  const {network, numbers} = jensengap, Kind = globalThis[kind];
  const own = network.create(net.layers, numbers.unpack(net.weights, Kind));
  const values = network.forward(own, Kind.from(x));
  const found = network.backward(own, values, Kind.from(upstream));
  const only = network.backward(own, values, Kind.from(upstream), true);
  return [values.at(-1), ...found.parameters, found.input, only.input].map(a => [...a]);
}"""


def error(found, wanted):
    """Largest difference, relative to the largest number that was wanted."""
    found = torch.tensor(found, dtype=torch.float64)
    wanted = wanted.detach().double().flatten()
    assert found.shape == wanted.shape
    return float((found - wanted).abs().max() / wanted.abs().max().clamp(min=1e-3))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", NETS)
def test_outputs_and_gradients_are_those_of_torch(run, name, kind):
    number, dtype, tolerance = KINDS[kind]
    torch.manual_seed(1)
    net = NETS[name]().to(dtype)
    x = torch.randn(6, net[0].in_features, dtype=dtype, requires_grad=True)
    output = net(x)
    upstream = torch.randn_like(output)
    output.backward(upstream)
    found = run(
        FORWARD_BACKWARD,
        {
            "net": parameters.network(net, number),
            "kind": kind,
            "x": x.flatten().tolist(),
            "upstream": upstream.flatten().tolist(),
        },
    )
    wanted = [output, *(p.grad for p in net.parameters()), x.grad, x.grad]
    assert len(found) == len(wanted)
    for one, other in zip(found, wanted, strict=True):
        assert error(one, other) <= tolerance


STEPS = """({net, kind, x, upstream, optimizer, rate, steps}) => {
  const {network, numbers} = jensengap, Kind = globalThis[kind];
  const own = network.create(net.layers, numbers.unpack(net.weights, Kind));
  const step = network[optimizer](own, [0.5, 0.9]);
  for (let i = 0; i < steps; i++) {
    const values = network.forward(own, Kind.from(x));
    step(network.backward(own, values, Kind.from(upstream)).parameters, rate);
  }
  return network.parameters(own).map(a => [...a]);
}"""


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_steps_downhill_are_those_of_torch(run, optimizer, kind):
    number, dtype, tolerance = KINDS[kind]
    torch.manual_seed(2)
    net = nets.mlp(2, 10, 10, 3).to(dtype)
    packed = parameters.network(net, number)
    x, upstream = torch.randn(8, 2, dtype=dtype), torch.randn(8, 3, dtype=dtype)
    makers = {
        "sgd": lambda: torch.optim.SGD(net.parameters(), 0.05),
        "adam": lambda: torch.optim.Adam(net.parameters(), 0.05, (0.5, 0.9)),
    }
    mover = makers[optimizer]()
    for _ in range(7):
        mover.zero_grad()
        net(x).backward(upstream)
        mover.step()
    found = run(
        STEPS,
        {
            "net": packed,
            "kind": kind,
            "x": x.flatten().tolist(),
            "upstream": upstream.flatten().tolist(),
            "optimizer": optimizer,
            "rate": 0.05,
            "steps": 7,
        },
    )
    # seven steps carry the rounding of seven
    for one, other in zip(found, net.parameters(), strict=True):
        assert error(one, other) <= 10 * tolerance


def test_an_unknown_activation_is_refused_by_the_page(run):
    net = parameters.network(nn.Sequential(nn.Linear(1, 1)))
    net["layers"][0]["activation"] = "swish"
    said = run(
        """net => { try {
          const {network, numbers} = jensengap;
          network.forward(network.create(net.layers, numbers.unpack(net.weights)), [1]);
        } catch (error) { return error.message; } }""",
        net,
    )
    assert said == "no activation is called swish"


def test_every_half_precision_number_is_read(run):
    every = torch.arange(65536).to(torch.uint16).view(torch.float16).double()
    finite = run(
        "() => Array.from({length: 65536}, (_, i) => {"
        " const x = jensengap.numbers.half(i); return Number.isFinite(x) ? x : null; })"
    )
    for bits, (found, wanted) in enumerate(zip(finite, every.tolist(), strict=True)):
        assert found == (wanted if math.isfinite(wanted) else None), bits


@pytest.mark.parametrize("kind", ["float16", "float32", "float64"])
def test_what_was_packed_is_unpacked_to_the_last_bit(run, kind):
    torch.manual_seed(3)
    tensors = [torch.randn(3, 5), torch.randn(7), torch.zeros(2, 0), torch.randn(1)]
    packed = parameters.pack(tensors, kind)
    found = run(
        "packed => jensengap.numbers.unpack(packed, Float64Array).map(a => [...a])",
        packed,
    )
    assert found == [t.flatten().tolist() for t in parameters.unpack(packed)]


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda text: "Q" + text[1:], "the checksum does not match"),
        (lambda text: text[:-8], "12 bytes were wanted and 6 came"),
        (lambda text: text + "AAAA", "12 bytes were wanted and 15 came"),
        (lambda text: "?" + text[1:], "the numbers are not base64"),
    ],
)
def test_damaged_numbers_are_refused_by_the_page(run, harm, said):
    packed = parameters.pack([torch.tensor([1.5, 2.5, 3.5])])
    packed["base64"] = harm(packed["base64"])
    found = run(
        "packed => { try { jensengap.numbers.unpack(packed); }"
        " catch (error) { return error.message; } }",
        packed,
    )
    assert found == said


def test_the_checksum_is_that_of_zlib(run):
    for data in (b"", b"123456789", bytes(range(256)) * 3):
        asked = "data => jensengap.numbers.crc32(Uint8Array.from(data))"
        assert run(asked, list(data)) == zlib.crc32(data)


def sfc32(seed, count):
    """The generator as its author gives it, in integers of any size."""
    mask = 2**32 - 1
    a, b, c, counter, draws = 0, seed, 0, 1, []
    for _ in range(12 + count):
        draw = (a + b + counter) & mask
        counter = (counter + 1) & mask
        a = b ^ (b >> 9)
        b = (c + (c << 3)) & mask
        c = (((c << 21) | (c >> 11)) + draw) & mask
        draws.append(draw)
    return draws[12:]


@pytest.mark.parametrize("seed", [0, 1, 123456789])
def test_chance_in_the_page_is_sfc32(run, seed):
    found = run(
        "seed => { const chance = jensengap.numbers.chance(seed);"
        " return Array.from({length: 50}, chance.bits); }",
        seed,
    )
    assert found == sfc32(seed, 50)


def test_normals_have_the_moments_of_normals(run):
    found = run("() => [...jensengap.numbers.chance(5).normals(40001, Float64Array)]")
    x = torch.tensor(found, dtype=torch.float64)
    assert len(x) == 40001
    for power, moment, spread in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96)):
        stderr = (spread / len(x)) ** 0.5
        assert abs(float((x**power).mean()) - moment) < 4 * stderr
    # pairs share a radius, not a value
    assert abs(float((x[:-1:2] * x[1::2]).mean())) < 4 / (len(x) / 2) ** 0.5


GAME = """({data, draws}) => {
  const {game, network} = jensengap;
  const own = game.create(data);
  for (const [real, first, second] of draws) {
    game.inspect(own, Float64Array.from(real), Float64Array.from(first), 0.02);
    game.forge(own, Float64Array.from(second), 0.01);
  }
  return ["discriminator", "generator"].map(name =>
    network.parameters(own[name]).map(a => [...a]));
}"""


def test_the_game_moves_both_players_as_torch_does(run):
    torch.manual_seed(4)
    networks = {
        "discriminator": nets.mlp(2, 9, 9, 1).double(),
        "generator": nets.mlp(3, 8, 2, activation=nn.ReLU).double(),
    }
    data = {name: parameters.network(net, "float64") for name, net in networks.items()}
    data |= {"precise": True, "betas": [0.5, 0.9], "seed": 0}
    discriminator, generator = networks.values()
    look = torch.optim.Adam(discriminator.parameters(), 0.02, (0.5, 0.9))
    move = torch.optim.Adam(generator.parameters(), 0.01, (0.5, 0.9))
    draws = []

    def judge(points):
        return discriminator(points)[:, 0]

    for _ in range(5):
        real, first, second = (torch.randn(6, n).double() for n in (2, 3, 3))
        draws.append([t.flatten().tolist() for t in (real, first, second)])
        loss = gan.classification_loss(judge(real), judge(generator(first).detach()))
        look.zero_grad()
        loss.backward()
        look.step()
        move.zero_grad()
        gan.non_saturating_loss(judge(generator(second))).backward()
        move.step()
    found = run(GAME, {"data": data, "draws": draws})
    for name, arrays in zip(networks, found, strict=True):
        for one, other in zip(arrays, networks[name].parameters(), strict=True):
            assert error(one, other) <= 1e-12


def test_real_points_in_the_page_are_those_of_the_ring(run):
    rules = ring.Rules()._asdict() | {"precise": True}
    found = run(
        "data => [...jensengap.game.real({data, chance: jensengap.numbers.chance(1),"
        " Kind: Float64Array}, 4000)]",
        rules,
    )
    points = torch.tensor(found).reshape(-1, 2).float()
    centers = ring.centers(ring.RULES)
    counts = metrics.mode_counts(points, centers, 5 * rules["scale"])
    assert counts.sum() == 4000
    assert (counts - 500).abs().max() < 4 * (500 * 7 / 8) ** 0.5
    away = (points - centers[torch.cdist(points, centers).argmin(1)]).double()
    assert abs(float(away.std()) / rules["scale"] - 1) < 4 / (2 * 8000) ** 0.5


def test_covered_modes_in_the_page_are_those_of_the_package(run):
    rules = ring.Rules(modes=7, radius=1.5, reach=0.4, enough=3)
    centers = ring.centers(rules)
    torch.manual_seed(6)
    seen = set()
    for scale in (0.3, 0.6, 1.2):
        points = scale * torch.randn(200, 2)
        wanted = metrics.modes_covered(points, centers, rules.reach, rules.enough)
        found = run(
            "([rules, points]) => jensengap.game.covered(rules, points)",
            [rules._asdict(), points.flatten().tolist()],
        )
        assert found == wanted.tolist()
        seen.add(int(wanted.sum()))
    assert len(seen) > 1
