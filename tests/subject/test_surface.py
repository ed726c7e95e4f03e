"""Whatever is given to whatever is public: it is right, or refused in a sentence.

A table says how each function is called. Shapes, dtypes and values are drawn, fitting
ones and others. Nothing but a ValueError may be raised, a finite input gives no NaN,
the result has the shape of its annotation (jaxtyping's hook looks at that), and what a
low precision computes is what float64 computes, but for rounding.
"""

import functools
import inspect
from typing import Any

import pytest
import surface
import torch
from calls import CALLS, SURFACE, auto
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from surface import Draw

from jensengap import inputs

_SETTINGS = settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=40,
    suppress_health_check=list(HealthCheck),
)

# What has no numbers that could be far out, or is held by a file of tests of its own.
ELSEWHERE = {
    "check.conclude": "takes a verdict, which the claims make",
    "check.glue": "tests/subject/test_check_glue.py",
    "check.measured": "tests/subject/test_check_verdict.py",
    "data.batches": "tests/data/test_draws.py",
    "data.embedded.digits_8x8": "tests/data/test_embedded.py",
    "data.embedded.mnist_5k": "tests/data/test_embedded.py",
    "data.full.full_fashion_mnist": "tests/data/test_full.py",
    "data.full.full_mnist": "tests/data/test_full.py",
    "diffusion.Schedule.num_steps": "a length",
    "digit_gan.Discriminator": "tests/subject/test_travel.py",
    "digit_gan.DigitGan.noise": "draws from the prior",
    "diffusion.Terms.elbo": "a sum of what terms returns",
    "bernoulli_pixels.keeps_digits": "a test of what log_normaliser returns",
    "fast.perceptron.MLP.backward": "tests/fast/test_perceptron.py",
    "fast.perceptron.MLP.forward": "tests/fast/test_perceptron.py",
    "fast.perceptron.MLP.is_stale": "compares addresses",
    "fast.perceptron.together": "tests/fast/test_perceptron.py",
    "fast.soap.Soap": "tests/fast/test_soap.py",
    "fast.soap.Soap.step": "tests/fast/test_soap.py",
    "files.alone": "tests/subject/test_files.py",
    "files.write_whole": "tests/subject/test_files.py",
    "inputs.alike": "compares dtypes",
    "inputs.checked": "tests/subject/test_inputs.py",
    "inputs.differentiable": "tests/subject/test_inputs.py",
    "inputs.every": "tests/subject/test_inputs.py",
    "inputs.run": "nets.Conditional.forward",
    "inputs.single": "converts a dtype",
    "inputs.widest": "names a dtype",
    "nets.Conditional": "joins what it is given",
    "nets.SharedScale.scale": "a parameter",
    "nets.StandardNormal.forward": "has no argument",
    "numeric.float64": "tests/subject/test_numeric.py",
    "numeric.named": "tests/subject/test_numeric.py",
    "numeric.real": "tests/subject/test_numeric.py",
    "numeric.whole": "tests/subject/test_numeric.py",
    "numeric.within": "tests/subject/test_numeric.py",
    "optimizers.after_batch": "train.fit calls it",
    "optimizers.after_epoch": "train.fit calls it",
    "optimizers.verify": "train.fit calls it",
    "optimizers.verify_reach": "train.fit calls it",
    "recipes.Classifier.forward": "its predict",
    "terminal.plain": "terminal.say",
    "probes.Result.score": "probes.normalised",
    "vae.Terms.elbo": "a difference of what terms returns",
    "vae.VAE": "joins what it is given",
    "vae.VAE.decode": "nets.Conditional.forward",
    "vae.VAE.encode": "nets.Conditional.forward",
}
# whole modules: trainings and pictures
ELSEWHERE = {
    name: f"tests/subject/test_{name.partition('.')[0]}.py"
    for name in SURFACE
    if name.partition(".")[0]
    in (
        "digit_gan",
        "figures",
        "optimizers",
        "plot",
        "recipes",
        "ring",
        "terminal",
        "train",
    )
} | ELSEWHERE
DRAWN = sorted(set(SURFACE) - set(ELSEWHERE))


def test_no_function_of_the_surface_is_forgotten():
    lost = set(CALLS) - set(SURFACE) | set(ELSEWHERE) - set(SURFACE)
    assert not lost, "no longer there"
    assert not set(CALLS) & set(ELSEWHERE)
    for name in set(DRAWN) - set(CALLS):
        function = inspect.unwrap(SURFACE[name])
        known = {argument.name for argument in inputs._arguments(function)}
        needed = {
            p.name
            for p in inspect.signature(function).parameters.values()
            if p.default is p.empty
        }
        assert needed <= known, f"{name}: say in CALLS how it is called"


def test_what_is_tested_elsewhere_is_tested_there():
    root = surface.SRC.parents[1]
    for name, where in ELSEWHERE.items():
        if where.startswith("tests/"):
            # a module's tests may be several files
            found = root.glob(where.removesuffix(".py") + "*.py")
            text = "".join(path.read_text("utf-8") for path in found)
            assert name.rpartition(".")[2] in text, f"{name} is not in {where}"


def slopes_are_numbers(value: torch.Tensor, args: list) -> None:
    """Differentiate a result by what was given; refuse NaN."""
    leaves = [a for a in args if isinstance(a, torch.Tensor) and a.requires_grad]
    if leaves and bool(value.isfinite().all()):
        slopes = torch.autograd.grad(
            value.sum(), leaves, allow_unused=True, retain_graph=True
        )
        for slope in slopes:
            assert slope is None or not bool(slope.isnan().any()), (args, value)


def called(name: str, d: Draw) -> tuple[str, Any, list, dict]:
    """Call a function as drawn; return how it ended, and what came."""
    draw = CALLS.get(name) or functools.partial(auto, name, SURFACE[name])
    # what cannot even be made is refused as well
    try:
        function, args, kwargs = draw(d)
    except ValueError as error:
        return "refused", error, [], {}
    torch.manual_seed(0)
    for each in args:
        if _is_float(each) and each.is_leaf and d.asks_for_slopes:
            each.requires_grad_()
    try:
        result = function(*args, **kwargs)
    except ValueError as error:
        return "refused", error, args, kwargs
    return "taken", result, args, kwargs


@pytest.mark.parametrize("name", DRAWN)
def test_it_is_right_or_refused_in_a_sentence(name):
    ends = {"taken": 0, "refused": 0}

    @_SETTINGS
    @given(st.data())
    def holds(draws: st.DataObject) -> None:
        end, result, args, kwargs = called(name, Draw(draws))
        ends[end] += 1
        if end == "refused":
            return
        if surface.is_finite([*args, *kwargs.values()]):
            for each in surface.tensors(result):
                assert not bool(each.isnan().any()), (args, kwargs, result)
                if each.requires_grad:
                    slopes_are_numbers(each, args)

    holds()
    assert ends["taken"], f"{name} took nothing that was drawn: {ends}"


# Their results jump, or have a free sign.
JUMPS = {
    "exact.probabilistic_pca", "metrics.active_units", "metrics.mode_counts",
    "metrics.modes_covered", "metrics.precision_recall", "vq.nearest",
}  # fmt: skip
OF_TENSORS = ("bounds", "divergences", "exact", "gan", "metrics", "nets", "quadrature")
PRECISE = [
    name
    for name in DRAWN
    if name not in CALLS
    and name not in JUMPS
    and name.partition(".")[0] in (*OF_TENSORS, "vq")
    and any(a.tensors for a in inputs._arguments(inspect.unwrap(SURFACE[name])))
]


@pytest.mark.parametrize("name", PRECISE)
def test_a_low_precision_gives_what_float64_gives_but_for_rounding(name):
    num_compared = 0

    @_SETTINGS
    @given(st.data())
    def holds(draws: st.DataObject) -> None:
        nonlocal num_compared
        d = Draw(draws)
        end, result, args, kwargs = called(name, d)
        if end == "refused":
            return
        wide = [a.detach().double() if _is_float(a) else a for a in args]
        torch.manual_seed(0)
        try:
            exact_one = SURFACE[name](*wide, **kwargs)
        except ValueError:  # what is one in a half is not in float64
            return
        largest = [float(a.abs().max()) for a in wide if _is_float(a) and a.numel()]
        size = max(1.0, *largest, 1.0)
        off = 64 * torch.finfo(d.dtype).eps * size
        pairs = zip(surface.tensors(result), surface.tensors(exact_one), strict=True)
        for mine, true in pairs:
            num_compared += 1
            # what a distribution draws comes from other noise
            if not isinstance(result, torch.distributions.Distribution):
                # beyond the largest float there is infinity
                true = true.double().to(mine.dtype)
                torch.testing.assert_close(
                    mine.double(),
                    true.double(),
                    rtol=off,
                    atol=off * size,
                    equal_nan=True,
                )

    holds()
    assert num_compared


def _is_float(value: Any) -> bool:
    return isinstance(value, torch.Tensor) and value.is_floating_point()
