"""Whatever the package makes travels: pickle, copies, torch.save, other processes.

Every public class has an example here; one of a NamedTuple that only holds numbers is
made of its fields. What has travelled gives the results that it would have given.
"""

import copy
import importlib
import inspect
import io
import pickle
import pkgutil
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest
import torch
from torch import nn

import jensengap
from jensengap import (
    bernoulli_pixels,
    check,
    digit_gan,
    discretized_normal,
    exact,
    flows,
    gan,
    nets,
    quadrature,
    recipes,
    ring,
    train,
    vae,
)
from jensengap.exercises import marking, trial
from jensengap.experiments import (
    checkpoint,
    distributed,
    iwae_table,
    record,
    recordings,
    resumable,
    run,
)
from jensengap.fast import bernoulli_vae, perceptron, soap

ALONE = distributed.Group(0, 1, 0, torch.device("cpu"))
SETTINGS = resumable.Settings(
    "iwae", 2, 0, 1, 2, 1e-3, 1, 0, 1, "embedded", "highest", "soap"
)


def public_classes():
    """Find every public class, where it is defined."""
    found = {}
    for each in pkgutil.walk_packages(jensengap.__path__, "jensengap."):
        module = importlib.import_module(each.name)
        for name, value in vars(module).items():
            if inspect.isclass(value) and value.__module__ == each.name:
                found[f"{each.name.removeprefix('jensengap.')}.{name}"] = value
    return {n: c for n, c in found.items() if not c.__name__.startswith("_")}


CLASSES = public_classes()


def small_vae(head=nets.bernoulli):
    """Make a VAE of six pixels and two latents."""
    return vae.VAE(
        nets.Conditional(nets.mlp(6, 5, 4), nets.gaussian_head),
        nets.Conditional(nets.mlp(2, 5, 6), head),
        nets.StandardNormal(2),
    ).double()


def trained_gan():
    """Make a GAN that has drawn, in another mode and dtype than a new one's."""
    made = digit_gan.DigitGan(2, 2).double()
    made.discriminator(torch.rand(3, 784).double())
    return made.eval()


def halfway():
    """Make a training that was stopped on its way."""
    made = resumable.Training(SETTINGS, torch.rand(24, 6), ALONE)

    def stop():
        if made.num_steps == 3:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        made.run(stop)
    return made


def moved(optimizer):
    """Take two steps down a bowl, and return where they lead."""
    params = [p for group in optimizer.param_groups for p in group["params"]]
    for _ in range(2):
        for each in params:
            each.grad = each.detach() - 1
        optimizer.step()
    return params


def finished(training):
    """Train to the end; return weights and history."""
    training.run(lambda: None)
    return training.model.state_dict(), training.history


def played(match):
    """Go on with a game; return where it leads, and what is drawn next."""
    match.play(2, 0.5)
    return match.made(), match.sample(3), match.num_steps


def binary(*shape):
    """Draw black-and-white rows."""
    return torch.rand(*shape).double().round()


# by class: how an example is made, and what to ask of it. FusedVAE shares the memory of
# its model's parameters, and so do Objective and Training, which have one inside: a
# copy must not go on with the numbers that it had when it was made
EXAMPLES = {
    "bernoulli_pixels.Bernoulli": (
        lambda: bernoulli_pixels.Bernoulli(logits=torch.randn(3)),
        lambda d: (d.sample(), d.log_prob(torch.ones(3))),
    ),
    "check.CheckError": (lambda: check.CheckError("eq-a does not hold"), None),
    "check.Verdict": (
        lambda: check.Verdict("bound", "eq-a", "", 1.0, 2.0, 1.0, 0.0, 3, True), None,
    ),
    "digit_gan.DigitGan": (
        trained_gan,
        lambda m: (m.sample(2), m.discriminator(torch.rand(2, 784).double())),
    ),
    "digit_gan.Discriminator": (
        lambda: digit_gan.Discriminator(2), lambda m: m(torch.rand(2, 784)),
    ),
    "discretized_normal.DiscretizedNormal": (
        lambda: discretized_normal.DiscretizedNormal(torch.rand(3), 0.1, 5),
        lambda d: (d.log_prob(torch.tensor(0.5)), d.sample((4,))),
    ),
    "exact.BernoulliMixture": (
        lambda: exact.BernoulliMixture(torch.tensor([0.3, 0.7]), torch.rand(2, 4)),
        None,
    ),
    "exercises.marking.Mark": (
        lambda: marking.Mark("ex-a", "right", "Yes.", [1.5]), None,
    ),
    "exercises.trial.Open": (lambda: trial.Open("what is missing"), None),
    "exercises.trial.Refused": (lambda: trial.Refused("what is wrong"), None),
    "experiments.checkpoint.CheckpointError": (
        lambda: checkpoint.CheckpointError("it is torn"), None,
    ),
    "experiments.distributed.Group": (lambda: ALONE, None),
    "experiments.iwae_table.Objective": (
        lambda: iwae_table.Objective(iwae_table.network(torch.full((6,), 0.5)), "vae"),
        lambda m: m(torch.rand(3, 6), iwae_table.Noise(
            torch.rand(3, 6), torch.randn(2, 3, iwae_table.LATENT_DIM))),
    ),
    "experiments.record.Experiment": (
        lambda: record.EXPERIMENTS["mode-collapse"], lambda e: list(e.calls()),
    ),
    "experiments.recordings.Recording": (
        lambda: recordings.Recording("Why?", {"cpu": "a"}, {"torch": "2"}, [{"a": 1}]),
        None,
    ),
    "experiments.resumable.Settings": (lambda: SETTINGS, None),
    "experiments.resumable.Training": (halfway, finished),
    "experiments.run.Run": (
        lambda: run.Run(SETTINGS, ALONE, Path("out"), 1.0), vars,
    ),
    "fast.bernoulli_vae.FusedVAE": (
        lambda: bernoulli_vae.FusedVAE(small_vae()),
        lambda m: m(binary(3, 6), torch.randn(2, 3, 2).double()),
    ),
    "fast.perceptron.MLP": (
        lambda: perceptron.MLP(nets.mlp(3, 4, 2, activation=nn.ReLU)),
        lambda m: m.forward(torch.rand(5, 3)),
    ),
    "fast.soap.Soap": (
        lambda: soap.Soap([nn.Parameter(torch.randn(3, 2))], 0.1), moved,
    ),
    "flows.Coupling": (
        lambda: flows.Coupling(2, 3, 4), lambda m: m(torch.randn(5, 2, 3)),
    ),
    "flows.Flow": (
        lambda: flows.Flow(torch.randn(2, 3), torch.ones(2, 3), num_couplings=2),
        lambda m: m(torch.randn(5, 2, 3)),
    ),
    "gan.Game": (lambda: gan.minimax, None),
    "nets.Conditional": (
        lambda: nets.Conditional(nets.mlp(2, 4), nets.gaussian_head),
        lambda m: m(torch.rand(3, 2)).rsample(),
    ),
    "nets.OnRows": (
        lambda: nets.to_image(2, 2), lambda m: m(torch.randn(3, 1, 2)),
    ),
    "nets.PixelBias": (nets.PixelBias, lambda m: m(torch.rand(2, 784))),
    "nets.SharedScale": (
        lambda: nets.SharedScale(0.3), lambda m: m(torch.rand(3, 2)).sample(),
    ),
    "nets.StandardNormal": (
        lambda: nets.StandardNormal(2), lambda m: m().sample((3,)),
    ),
    "recipes.Classifier": (
        lambda: recipes.Classifier(4, 3), lambda m: m(torch.rand(2, 784)),
    ),
    "ring.Match": (
        lambda: ring.Match(nets.mlp(2, 4, 1), nets.mlp(3, 4, 2), ring.RULES, 0.1),
        played,
    ),
    "ring.Rules": (ring.Rules, None),
    "train.NonFiniteLoss": (
        lambda: train.NonFiniteLoss("loss", 1.5, 3, {"loss": [2.0]}, ("judge",)), None,
    ),
    "vae.VAE": (
        small_vae, lambda m: (m.terms(binary(3, 6), 2), m.sample(2).sample()),
    ),
}  # fmt: skip
# models with the heads that functions of the package make, and what others they make
MADE = {
    "nets.fixed_scale": (
        lambda: small_vae(nets.fixed_scale(0.5)), lambda m: m.sample(2).sample(),
    ),
    "discretized_normal.discretized_gaussian": (
        lambda: small_vae(discretized_normal.discretized_gaussian(0.5)),
        lambda m: m.sample(2).sample(),
    ),
    "digit_gan.twin_vae": (
        lambda: digit_gan.twin_vae(2, 2), lambda m: m.sample(2).sample(),
    ),
    "recipes.digit_vae": (
        lambda: recipes.digit_vae(2, 3), lambda m: m.sample(2).sample(),
    ),
    "quadrature.gauss_hermite": (
        lambda: quadrature.gauss_hermite(nets.StandardNormal(1)(), 5), None,
    ),
}  # fmt: skip


def of_fields(name):
    """Make an example of what only holds numbers, and no question about it."""
    fields = CLASSES[name]._fields
    return lambda: CLASSES[name](*(torch.randn(3) for _ in fields)), None


def example(name):
    """Return how an example of a class is made, and what to ask of it."""
    return (EXAMPLES | MADE).get(name) or of_fields(name)


def asked(name, value, chance):
    """Ask an object for what it computes, from a state of torch's generator."""
    ask = example(name)[1]
    torch.set_rng_state(chance)
    return value if ask is None else ask(value)


def same(one, other):
    """Test whether two results are equal to the last bit, whatever they are made of."""
    if type(one) is not type(other):
        return False
    if isinstance(one, torch.Tensor):
        return one.dtype == other.dtype and torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if isinstance(one, tuple | list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, BaseException):
        return str(one) == str(other) and same(vars(one), vars(other))
    return one == other


def by_pickle(protocol):
    return lambda value: pickle.loads(pickle.dumps(value, protocol))


def by_file(value):
    file = io.BytesIO()
    torch.save(value, file)
    file.seek(0)
    return torch.load(file, weights_only=False)


CARRIERS = {"deepcopy": copy.deepcopy, "torch.save": by_file} | {
    f"pickle {protocol}": by_pickle(protocol) for protocol in range(2, 6)
}
SHOWN = [*CLASSES, *MADE]


def test_every_public_class_has_an_example():
    assert len(CLASSES) > 50
    assert EXAMPLES.keys() <= CLASSES.keys()
    plain = CLASSES.keys() - EXAMPLES.keys()
    # what has fields is made of them; add an example of any other class above
    assert not [name for name in plain if not hasattr(CLASSES[name], "_fields")]


@pytest.mark.parametrize("carrier", CARRIERS)
@pytest.mark.parametrize("name", [name for name in SHOWN if name != "train.Player"])
def test_what_has_travelled_gives_what_it_would_have_given(name, carrier):
    torch.manual_seed(0)
    here = example(name)[0]()
    state = torch.get_rng_state()
    there = CARRIERS[carrier](here)
    # loading draws nothing
    assert torch.equal(torch.get_rng_state(), state)
    if isinstance(here, nn.Module):
        modes = [[m.training for m in each.modules()] for each in (here, there)]
        assert modes[0] == modes[1]
        assert same(dict(here.state_dict()), dict(there.state_dict()))
    assert same(asked(name, here, state), asked(name, there, state))


class Square(nn.Module):
    """A step that a worker can find, for a player."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([3.0]))

    def forward(self, _):
        return self.weight.square()


@pytest.mark.parametrize("carrier", CARRIERS)
def test_a_player_travels_with_its_step_and_still_moves_it(carrier):
    step = Square()
    adam = torch.optim.Adam(step.parameters(), 0.5)
    here = train.Player("loss", step, adam)
    train.fit([1], here, 2, progress=False)
    there = CARRIERS[carrier](here)
    histories = [train.fit([1], each, 3, progress=False) for each in (here, there)]
    assert histories[0] == histories[1]
    assert there.step.weight < 3


WORKERS = [
    "vae.VAE", "digit_gan.DigitGan", "recipes.Classifier", "ring.Match", "flows.Flow",
    "fast.soap.Soap", "digit_gan.twin_vae", "check.Verdict",
]  # fmt: skip


def answers(examples, chance):
    """Ask every object, in whatever process this is."""
    with torch.no_grad():  # a graph cannot come back
        return [asked(name, value, chance) for name, value in examples]


def diverge(weight):
    """Train until the loss is not finite."""
    player = train.Player(
        "loss", lambda i: weight * (torch.inf if i else 1), torch.optim.SGD([weight])
    )
    train.fit([0, 1], player, 1, progress=False)


def test_a_spawned_worker_computes_the_same_and_its_errors_come_back():
    torch.manual_seed(0)
    examples = [(name, example(name)[0]()) for name in WORKERS]
    # before: torch shares the memory of what it sends, and a worker may move it
    chance = torch.get_rng_state()
    here = answers(copy.deepcopy(examples), chance)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        away = pool.submit(answers, examples, chance)
        failed = pool.submit(diverge, nn.Parameter(torch.ones(())))
        there, error = away.result(), failed.exception()
    assert same(there, here)
    assert isinstance(error, train.NonFiniteLoss)
    assert error.history == {"loss": [1.0]}
    assert (error.name, error.step) == ("loss", 1)
