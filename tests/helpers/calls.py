"""How each public function of the subject is called with whatever may come."""

import functools
import inspect
import math
from typing import Any

import surface
import torch
from surface import Draw
from torch import nn
from torch.distributions import Independent, MultivariateNormal, Normal

from jensengap import (
    ais,
    check,
    data,
    diffusion,
    discretized_normal,
    divergences,
    exact,
    flows,
    gan,
    gaussians,
    inputs,
    metrics,
    nets,
    probes,
    quadrature,
    vae,
    vq,
)
from jensengap.data import toy
from jensengap.fast import bernoulli_vae, evidence, perceptron

SURFACE = surface.surface()
# Arguments whose kind of values decides whether a function can do anything with them.
KINDS = {
    "data.binarize": {"probs": "unit"},
    "divergences.kl_quadrature": {"log_q": "logs", "log_p": "logs"},
    "divergences.jensen_shannon": {"log_q": "logs", "log_p": "logs"},
    "vq.perplexity": {"shares": "shares"},
    "metrics.edge_steepness": {"images": "unit"},
    "nets.bernoulli_log_probs": {"x": "unit"},
    "probes.normalised": {"accuracy": "unit", "majority": "unit"},
    "diffusion.schedule": {"betas": "unit"},
    "bernoulli_pixels.log_probs": {"x": "unit"},
}
WHOLE = (1, 2, 3, 7, 0, -1)
REAL = (0.5, 1.0, 2.5, 0.1, 0.0, -1.0, 1e-9, 1e6, math.inf)


def gaussian(d: Draw, batch: str = "*b", dim: str = "z") -> Any:
    """Draw a Gaussian vector, with independent coordinates or a full covariance."""
    dtype = torch.float64 if d.dtype == torch.float64 else torch.float32
    loc = d.tensor(f"{batch} {dim}", "normal", dtype)
    scale = d.tensor(f"{batch} {dim}", "positive", dtype) * d.one_of(1.0, 1e-3, 1e3)
    if d.one_of(True, True, False):
        return Independent(Normal(loc, scale), 1)
    size = loc.shape[-1]
    tilt = d.tensor(f"{dim} {dim}", "normal", dtype).tril(-1)
    factor = torch.diag_embed(scale) + tilt * scale[..., None]
    assert factor.shape[-2:] == (size, size)
    return MultivariateNormal(loc, scale_tril=factor)


def small_vae(d: Draw, spread: float) -> vae.VAE:
    """Build a VAE of four pixels and two latents, its weights as large as asked."""
    torch.manual_seed(0)
    model = vae.VAE(
        nets.Conditional(nets.mlp(4, 3, 4), nets.gaussian_head),
        nets.Conditional(nets.mlp(2, 3, 4), nets.bernoulli),
        nets.StandardNormal(2),
    )
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(spread)
    return model.to(torch.float64 if d.dtype == torch.float64 else torch.float32)


def images(d: Draw, model: nn.Module) -> torch.Tensor:
    """Draw images for the small VAE: binary ones, and what users bring as well."""
    like = next(model.parameters()).dtype
    dims, kind, dtype = d.one_of(
        ("b 4", "binary", like),
        ("b 4", "binary", like),
        ("b 4", "unit", like),
        ("b 5", "binary", like),
        ("4", "binary", like),
        ("b 2 2", "binary", like),
        ("b 4", "binary", torch.float16),
        ("b 4", "binary", torch.int64),
    )
    return d.tensor(dims, kind, dtype)


def auto(name: str, function: Any, d: Draw) -> tuple[Any, list, dict]:
    """Draw what a signature asks for, and now and then something else."""
    args, kwargs = [], {}
    parameters = inspect.signature(function).parameters
    plan = {a.name: a for a in inputs._arguments(inspect.unwrap(function))}
    for parameter in parameters.values():
        argument = plan.get(parameter.name)
        if argument is None:
            if parameter.name != "self" and parameter.default is parameter.empty:
                raise AssertionError(f"{name}: say in CALLS how it is called")
            continue
        if argument.tensors and (argument.number is None or d.one_of(True, False)):
            value = _tensor(d, name, argument)
        elif argument.number is int:
            value = d.one_of(*WHOLE)
        else:
            value = d.one_of(*REAL)
        if parameter.kind is parameter.KEYWORD_ONLY:
            kwargs[parameter.name] = value
        else:
            args += [value, value] if argument.many else [value]
    return function, args, kwargs


def _tensor(d: Draw, name: str, argument: Any) -> torch.Tensor:
    dims = argument.tensors[0].dim_str
    kind = KINDS.get(name, {}).get(argument.name, "")
    if d.one_of(*[False] * 9, True):  # another rank, size or dtype than is wanted
        dims = d.one_of(f"{dims} extra", "other", "", "7 7 7")
    if argument.tensors[0].dtype.__name__ == "Int":
        return d.indices(dims, d.one_of(2, 9))
    dtype = d.one_of(*[d.dtype] * 9, torch.int64)
    return d.tensor(dims, kind, dtype)


def of_method(name: str, make: Any, d: Draw) -> tuple[Any, list, dict]:
    """Draw the arguments of an object's method."""
    owner = make(d)
    function = getattr(type(owner), name.rpartition(".")[2])
    _, args, kwargs = auto(name, functools.wraps(function)(lambda *a: a), d)
    return functools.partial(function, owner), args[0:], kwargs


def linear(d: Draw) -> exact.LinearGaussian:
    """Draw a linear-Gaussian model."""
    return exact.LinearGaussian(
        d.tensor("d z", "normal"), d.tensor("d", "normal"), d.one_of(0.5, 1e-3, 0.0)
    )


def mixture(d: Draw) -> exact.BernoulliMixture:
    """Draw a mixture; some of its pixels are certain."""
    probs = d.tensor("m d", d.one_of("unit", "binary"))
    return exact.BernoulliMixture(d.tensor("m", "shares"), probs)


def noise(d: Draw) -> diffusion.Schedule:
    """Draw a schedule of few or many, small or large steps."""
    betas = torch.full((d.one_of(1, 3, 50),), d.one_of(1e-9, 1e-3, 0.5, 0.999))
    return diffusion.schedule(betas)


def steps_of(d: Draw, schedule: diffusion.Schedule) -> torch.Tensor:
    """Draw steps, most of them inside."""
    t = d.indices("n", schedule.num_steps) + d.one_of(1, 1, 1, 0, 9)
    return t.to(d.one_of(torch.int64, torch.uint8, torch.int32))


def of_diffusion(function: Any, count: int) -> Any:
    """Call a kernel of the chain on as many points as it takes."""

    def draw(d: Draw) -> tuple[Any, list, dict]:
        schedule = noise(d)
        points = [d.tensor("n d") for _ in range(count)]
        return function, [schedule, *points, steps_of(d, schedule)], {}

    return draw


def of_gradients(function: Any) -> Any:
    """Call an estimator with functions and families of every kind."""

    def draw(d: Draw) -> tuple[Any, list, dict]:
        f = d.one_of(
            torch.square,
            torch.sin,
            lambda z: z > 0,
            lambda z: z[:, None],
            lambda z: z.detach(),
            lambda z: 1.0,
        )
        family = d.one_of(
            lambda p: Normal(p[..., 0], p[..., 0].exp()),
            lambda p: Normal(p, 1.0),
            lambda p: torch.distributions.Poisson(p[..., 0].exp()),
            lambda p: torch.distributions.Uniform(0 * p[..., 0], p[..., 0].exp()),
        )
        return function, [f, family, d.tensor("p", "normal"), d.one_of(*WHOLE)], {}

    return draw


def of_ais(function: Any) -> Any:
    """Run chains between a Gaussian and a target, both as the reader may have them."""

    def draw(d: Draw) -> tuple[Any, list, dict]:
        dtype = torch.float64 if d.dtype == torch.float64 else torch.float32
        base = gaussian(d, d.one_of("b", "b", "b", ""))
        shape = tuple(base.batch_shape + base.event_shape)
        target = d.one_of(
            lambda z: -z.square().sum(-1),
            lambda z: -z.square(),
            lambda z: -z.abs().sum(-1) * 1e4,
            lambda z: z.sum(-1) * math.nan,
        )
        betas = d.one_of(ais.sigmoid_schedule(3), torch.tensor([0.0, 0.5]))
        count = d.one_of(2, 1, 0)
        args = [base, target, betas]
        if function is ais.tune:
            return function, [*args, count], {}
        sizes = torch.full((len(betas) - 1, shape[0]), d.one_of(0.1, 1e3, 0.0))
        start = count if function is ais.forward else torch.zeros(count, *shape)
        if isinstance(start, torch.Tensor):
            start = start.to(dtype)
        return function, [*args, start, sizes.to(dtype)], {}

    return draw


def of_slopes(function: Any, count: int) -> Any:
    """Call a penalty with discriminators of every kind."""

    def draw(d: Draw) -> tuple[Any, list, dict]:
        net = d.one_of(
            lambda x: x.flatten(1).square().sum(1),
            lambda x: x.flatten(1).sum(1, keepdim=True),
            lambda x: x * 1.0,
            lambda x: x.detach().flatten(1).sum(1),
        )
        return function, [net, *[d.tensor("n d") for _ in range(count)]], {}

    return draw


def of_vae(method: str) -> Any:
    """Call a method of the small VAE."""

    def draw(d: Draw) -> tuple[Any, list, dict]:
        model = small_vae(d, d.one_of(1.0, 30.0, 1e4))
        args = [] if method == "sample" else [images(d, model)]
        return getattr(model, method), [*args, d.one_of(*WHOLE)], {}

    return draw


def fast_evidence(d: Draw) -> tuple[Any, list, dict]:
    """Call the fast twin of the small VAE's evidence."""
    model = small_vae(d, d.one_of(1.0, 30.0, 1e4))
    return evidence.log_evidence, [model, images(d, model), d.one_of(*WHOLE)], {}


def fused(d: Draw) -> tuple[Any, list, dict]:
    """Call the fast twin of the small VAE's loss."""
    model = small_vae(d, d.one_of(1.0, 30.0))
    x = images(d, model)
    eps = torch.zeros(d.one_of(1, 2, 0), len(x), d.one_of(2, 2, 3)).to(x.dtype)
    words = {"objective": d.one_of("vae", "iwae", "gan")}
    return bernoulli_vae.FusedVAE(model), [x, eps], words


def flow(d: Draw) -> flows.Flow:
    """Draw a flow of some layers."""
    loc, scale = d.tensor("b d", "normal"), d.tensor("b d", "positive")
    torch.manual_seed(0)
    if d.dtype.itemsize == 2:  # linear systems are not solved with halves
        loc, scale = loc.float(), scale.float()
    return flows.Flow(loc, scale, num_couplings=min(1, loc.shape[1] - 1))


def of_flow(method: str) -> Any:
    """Call a method of a flow."""

    def draw(d: Draw) -> tuple[Any, list, dict]:
        own = flow(d)
        if method == "rsample":
            return own.rsample, [d.one_of(*WHOLE)], {}
        points = d.tensor(d.one_of("k b d", "k b d", "k d", "k b 9"), "", own.loc.dtype)
        return getattr(own, method), [points], {}

    return draw


def of_coupling(method: str) -> Any:
    """Call a method of one layer."""

    def draw(d: Draw) -> tuple[Any, list, dict]:
        torch.manual_seed(0)
        own = flows.Coupling(d.size("b"), d.size("d") + 1, 2)
        size = d.one_of(d.size("d") + 1, 9)
        return getattr(own, method), [torch.randn(2, d.size("b"), size)], {}

    return draw


def pixels(d: Draw) -> Any:
    """Draw a discretised Gaussian far from its levels, narrow or wide."""
    loc = d.tensor("*b", "far")
    return discretized_normal.DiscretizedNormal(loc, d.one_of(0.1, 1e-3, 1e6), 4)


def of_pixels(method: str) -> Any:
    """Call a method of a discretised Gaussian."""

    def draw(d: Draw) -> tuple[Any, list, dict]:
        own = pixels(d)
        if method == "mean":
            return (lambda: own.mean), [], {}
        if method == "sample":
            return own.sample, [()], {}
        value = d.one_of(torch.tensor(1 / 3), torch.tensor(1.0), torch.tensor(0.4))
        return own.log_prob, [value.to(own.loc.dtype)], {}

    return draw


def probe(d: Draw) -> probes.Probe:
    """Fit a probe of two dimensions and two classes."""
    codes = torch.tensor([[0.0, 1.0], [1.0, 0.0], [1.0, 2.0]])
    return probes.fit(codes, torch.tensor([0, 1, 1]), num_classes=2)


def fitted(d: Draw) -> tuple[Any, list, dict]:
    """Fit a probe to codes of every kind."""
    labels = d.indices("n", d.one_of(2, 3, 12))
    return probes.fit, [d.tensor("n d"), labels], {"ridge": d.one_of(1e-3, 0.0)}


def evaluated(d: Draw) -> tuple[Any, list, dict]:
    """Fit probes and judge them."""
    args = [d.tensor("n d"), d.indices("n", 3), d.tensor("m d"), d.indices("m", 3)]
    return probes.evaluate, args, {"num_classes": 3}


def pair(function: Any) -> Any:
    """Call a function of two Gaussians, of the same or of other shapes."""

    def draw(d: Draw) -> tuple[Any, list, dict]:
        q, p = (
            gaussian(d),
            gaussian(d, d.one_of("*b", "", "7"), d.one_of("z", "z", "y")),
        )
        if d.one_of(False, False, True):
            p = Normal(p.mean, p.stddev)
        args = [q, p] if function is not divergences.kl_monte_carlo else [q, p, 3]
        return function, args, {}

    return draw


def of_one(function: Any) -> Any:
    """Call a function of one Gaussian, or of what is none."""

    def draw(d: Draw) -> tuple[Any, list, dict]:
        q = gaussian(d)
        return (
            function,
            [d.one_of(q, q, q.base_dist if hasattr(q, "base_dist") else q)],
            {},
        )

    return draw


def of_rate(d: Draw) -> tuple[Any, list, dict]:
    """Split the rate of some codes."""
    prior = gaussian(d, "", d.one_of("z", "z", "y"))
    return (
        metrics.rate,
        [gaussian(d, d.one_of("n", "n", "")), prior, d.one_of(*WHOLE)],
        {},
    )


def aggregate(d: Draw) -> tuple[Any, list, dict]:
    """Evaluate the aggregate posterior."""
    q = gaussian(d, d.one_of("n", "n", ""))
    z = d.tensor(f"*s {d.one_of('z', 'z', 'y')}", "", q.mean.dtype)
    return metrics.log_aggregate, [q, z], {"chunk": d.one_of(*WHOLE)}


def hermite(d: Draw) -> tuple[Any, list, dict]:
    """Make a rule for a Gaussian."""
    q = gaussian(d)
    plain = q.base_dist if hasattr(q, "base_dist") else q
    return (
        quadrature.gauss_hermite,
        [d.one_of(q, q, plain), d.one_of(*WHOLE, 10**9)],
        {},
    )


def reconstructed(d: Draw) -> tuple[Any, list, dict]:
    """Average a likelihood over a Gaussian."""
    model, q = linear(d), gaussian(d)
    x = d.tensor("*b d", "normal", q.mean.dtype)
    return model.reconstruction, [x, q], {}


def bernoulli_nodes(d: Draw) -> tuple[Any, list, dict]:
    """Evaluate a decoder at nodes."""
    model = small_vae(d, d.one_of(1.0, 1e4))
    like = next(model.parameters()).dtype
    nodes = d.tensor(d.one_of("n 2", "n 2", "n 3"), "", like)
    args = [model.decoder, images(d, model), nodes]
    return exact.bernoulli_log_likelihood, args, {"chunk": d.one_of(*WHOLE)}


def net_of(make: Any) -> Any:
    """Run a network on rows of the right width, or of another."""

    def draw(d: Draw) -> tuple[Any, list, dict]:
        torch.manual_seed(0)
        dims, kind = d.one_of(("*b 2", "far"), ("*b 3", "far"), ("2", "normal"))
        dtype = d.one_of(torch.float32, torch.float32, torch.float64)
        return make(), [d.tensor(dims, kind, dtype)], {}

    return draw


def conditional() -> nets.Conditional:
    """Join a network and a head."""
    return nets.Conditional(nets.mlp(2, 3, 4), nets.gaussian_head)


def start(d: Draw) -> tuple[Any, list, dict]:
    """Set the last bias of a network."""
    net = d.one_of(nets.mlp(2, 3), nn.Sequential(nn.Linear(2, 3), nn.Tanh()))
    return (
        nets.start_at_mean,
        [net, d.tensor(d.one_of("3", "4"), "unit", torch.float32)],
        {},
    )


def counted(d: Draw) -> tuple[Any, list, dict]:
    """Count a network's multiplications."""
    dims = d.one_of("b 2", "b 3", "2")
    rows = d.tensor(dims, "normal", torch.float32)
    return nets.multiplications, [nets.mlp(2, 3), rows], {}


def levels(d: Draw) -> tuple[Any, list, dict]:
    """Scale grey levels of pictures with and without channels."""
    shape = d.one_of((2, 3, 3), (2, 1, 3, 3), (2, 3, 3, 4), (3, 3), (0, 3, 3))
    grey = torch.full(shape, 7, dtype=d.one_of(torch.uint8, torch.uint8, torch.int64))
    return data.unit_pixels, [grey], {"white": d.one_of(255, 16, 7, 3, 0)}


def compared(function: Any) -> Any:
    """Check a claim about two numbers, or two tensors."""

    def draw(d: Draw) -> tuple[Any, list, dict]:
        left = d.tensor("*n")
        sides = [left, d.one_of(left, left + 1, d.tensor("m"))]
        return (lambda *a: _verdict(function, *a)), [*sides, d.one_of(*REAL)], {}

    return draw


def _verdict(function: Any, *args: Any) -> Any:
    try:
        return function("eq-surface", *args)
    except check.CheckError as error:
        return str(error)


def estimated(d: Draw) -> tuple[Any, list, dict]:
    """Check an estimate."""
    samples = d.tensor("k *n", "normal")

    def call(samples: torch.Tensor, most: float) -> Any:
        return _verdict(
            functools.partial(check.estimate, max_stderr=most),
            divergences.Estimate.of(samples),
            torch.zeros(samples.shape[1:]),
        )

    return call, [samples, d.one_of(*REAL)], {}


def constructed(make: Any) -> Any:
    """Construct an object from what its signature asks for."""

    def draw(d: Draw) -> tuple[Any, list, dict]:
        _, args, kwargs = auto("", functools.wraps(make.__init__)(lambda *a: a), d)
        return make, args, kwargs

    return draw


CALLS = {
    "ais.forward": of_ais(ais.forward),
    "ais.reverse": of_ais(ais.reverse),
    "ais.tune": of_ais(ais.tune),
    "bernoulli_pixels.Bernoulli.log_prob": lambda d: (
        nets.bernoulli(d.tensor("*b d")).log_prob,
        [d.tensor("*b d", d.one_of("binary", "unit"))],
        {},
    ),
    "check.bound": compared(check.bound),
    "check.estimate": estimated,
    "check.identity": compared(check.identity),
    "check.refuses": compared(check.refuses),
    "data.unit_pixels": levels,
    "diffusion.Schedule.noise_variance": lambda d: (
        lambda: noise(d).noise_variance, [], {}
    ),
    "diffusion.Schedule.noise_weights": lambda d: (
        lambda: noise(d).noise_weights, [], {}
    ),
    "diffusion.diffuse": of_diffusion(diffusion.diffuse, 1),
    "diffusion.posterior": of_diffusion(diffusion.posterior, 2),
    "diffusion.reverse": of_diffusion(diffusion.reverse, 2),
    "diffusion.terms": lambda d: (
        diffusion.terms,
        [
            noise(d),
            d.tensor("n d"),
            d.one_of(lambda x, t: x, lambda x, t: x[0], lambda x, t: 0.0),
        ],
        {},
    ),
    "discretized_normal.DiscretizedNormal.log_prob": of_pixels("log_prob"),
    "discretized_normal.DiscretizedNormal.mean": of_pixels("mean"),
    "discretized_normal.DiscretizedNormal.sample": of_pixels("sample"),
    "divergences.Estimate.of": lambda d: (
        divergences.Estimate.of, [d.tensor("k *b")], {}
    ),
    "divergences.kl": pair(divergences.kl),
    "divergences.kl_monte_carlo": pair(divergences.kl_monte_carlo),
    "exact.BernoulliMixture.log_evidence": lambda d: (
        mixture(d).log_evidence, [d.tensor("*b d", "binary")], {}
    ),
    "exact.BernoulliMixture.log_joint": lambda d: (
        mixture(d).log_joint, [d.tensor(d.one_of("*b d", "d", "*b 9"), "binary")], {}
    ),
    "exact.BernoulliMixture.posterior": lambda d: (
        mixture(d).posterior, [d.tensor("*b d", d.one_of("binary", "unit"))], {}
    ),
    "exact.LinearGaussian.evidence": lambda d: (linear(d).evidence, [], {}),
    "exact.LinearGaussian.likelihood": lambda d: (
        linear(d).likelihood, [d.tensor(d.one_of("*b z", "*b 9"))], {}
    ),
    "exact.LinearGaussian.posterior": lambda d: (
        linear(d).posterior, [d.tensor(d.one_of("*b d", "*b 9"))], {}
    ),
    "exact.LinearGaussian.reconstruction": reconstructed,
    "exact.LinearGaussian.variance": lambda d: (linear(d).variance, [], {}),
    "exact.bernoulli_log_likelihood": bernoulli_nodes,
    "fast.bernoulli_vae.FusedVAE": lambda d: (
        bernoulli_vae.FusedVAE, [d.one_of(small_vae(d, 1.0), _other_vae())], {}
    ),
    "fast.bernoulli_vae.FusedVAE.forward": fused,
    "fast.evidence.log_evidence": fast_evidence,
    "fast.bernoulli_vae.takes": lambda d: (
        bernoulli_vae.takes, [(m := small_vae(d, 1.0)), images(d, m).reshape(1, -1)], {}
    ),
    "fast.bernoulli_vae.verify": lambda d: (
        bernoulli_vae.verify, [d.one_of(small_vae(d, 1.0), _other_vae())], {}
    ),
    "fast.perceptron.MLP": lambda d: (
        perceptron.MLP, [d.one_of(nets.mlp(2, 3), nn.Sequential(nn.Tanh()))], {}
    ),
    "flows.Coupling.forward": of_coupling("forward"),
    "flows.Coupling.inverse": of_coupling("inverse"),
    "flows.Flow.forward": of_flow("forward"),
    "flows.Flow.inverse": of_flow("inverse"),
    "flows.Flow.log_prob": of_flow("log_prob"),
    "flows.Flow.rsample": of_flow("rsample"),
    "gan.gradient_penalty": of_slopes(gan.gradient_penalty, 2),
    "gan.r1_penalty": of_slopes(gan.r1_penalty, 1),
    "gaussians.is_diagonal": of_one(gaussians.is_diagonal),
    "gaussians.is_gaussian": of_one(gaussians.is_gaussian),
    "gaussians.joint": of_one(gaussians.joint),
    "gaussians.log_prob": lambda d: (
        gaussians.log_prob, [(q := gaussian(d)), q.sample()], {}
    ),
    "gaussians.name": of_one(gaussians.name),
    "gaussians.same_events": pair(gaussians.same_events),
    "gaussians.scale_tril": of_one(gaussians.scale_tril),
    "metrics.log_aggregate": aggregate,
    "metrics.rate": of_rate,
    "nets.Conditional.forward": net_of(conditional),
    "nets.OnRows.forward": net_of(lambda: nets.OnRows(nn.Linear(2, 3))),
    "nets.PixelBias.forward": lambda d: (
        nets.PixelBias(), [torch.zeros(d.one_of(1, 2), d.one_of(784, 784, 5))], {}
    ),
    "nets.SharedScale.forward": net_of(nets.SharedScale),
    "nets.multiplications": counted,
    "nets.start_at_mean": start,
    "metrics.precision_recall": lambda d: (
        metrics.precision_recall,
        [d.tensor("n d"), d.tensor(d.one_of("m d", "m 9", "7 7 7"))],
        {"num_neighbours": d.one_of(1, 1, 2, 0), "chunk": d.one_of(1, 100, 0)},
    ),
    "probes.Probe.logits": lambda d: (
        probe(d).logits, [d.tensor(d.one_of("n 2", "n 2", "n 3"))], {}
    ),
    "probes.Probe.predict": lambda d: (
        probe(d).predict, [d.tensor(d.one_of("n 2", "n 2", "n 3"))], {}
    ),
    "probes.Projection.encode": lambda d: (
        probes.random_projection(torch.eye(3), 2).encode,
        [d.tensor(d.one_of("n 3", "n 3", "n 2"))],
        {},
    ),
    "probes.accuracy": lambda d: (
        probes.accuracy, [d.indices("n", 3), d.indices("n", 3)], {}
    ),
    "probes.evaluate": evaluated,
    "probes.fit": fitted,
    "quadrature.gauss_hermite": hermite,
    "data.toy.ring_of_gaussians": lambda d: (
        toy.ring_of_gaussians,
        [d.one_of(*WHOLE)],
        {"scale": d.one_of(*REAL), "seed": 0},
    ),
    "vae.VAE.log_evidence": of_vae("log_evidence"),
    "vae.VAE.log_weights": of_vae("log_weights"),
    "vae.VAE.sample": of_vae("sample"),
    "vae.VAE.terms": of_vae("terms"),
    "vae.evidence": lambda d: (
        vae.evidence, [d.tensor("2 b"), d.one_of(*WHOLE), torch.float32], {}
    ),
    "vq.usage": lambda d: (vq.usage, [d.indices("n *m", 4), d.one_of(*WHOLE)], {}),
    "discretized_normal.DiscretizedNormal": constructed(
        discretized_normal.DiscretizedNormal
    ),
    "flows.Coupling": constructed(flows.Coupling),
    "flows.Flow": constructed(flows.Flow),
    "nets.SharedScale": constructed(nets.SharedScale),
    "nets.StandardNormal": constructed(nets.StandardNormal),
}  # fmt: skip


def _other_vae() -> vae.VAE:
    return vae.VAE(conditional(), conditional(), nets.StandardNormal(2))


CALLS |= {
    name: lambda d, name=name: (SURFACE[name], ["x", d.tensor("*n")], {})
    for name in (
        "bernoulli_pixels.binary",
        "inputs.finite",
        "inputs.no_nan",
        "inputs.positive_scale",
    )
}
CALLS |= {
    f"gradients.{name}": of_gradients(SURFACE[f"gradients.{name}"])
    for name in ("pathwise", "score_function", "best_baseline")
}
