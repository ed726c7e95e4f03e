r"""Annealed importance sampling (AIS): lower and upper estimates of $\log p(x)$.

Between a base that can be sampled and a target that cannot, AIS puts the densities
$f_\beta(z)=\text{base}(z)^{1-\beta}\,\text{target}(z)^{\beta}$. A chain of HMC steps
from one end to the other collects a weight, and the weights' expectation is the
evidence, however badly the chain mixes: $\mathbb E[w]$ forwards, and $1/\mathbb E[1/w]$
backwards from an exact draw, for a base and a target that are positive at the same
points. Forwards the logarithm of an average is a lower bound in expectation, backwards
an upper one; both remain so where only one of the two densities is positive.

``log_target`` is a function of ``z`` alone, ``(k, b, z)`` to ``(k, b)``: for a model
``lambda z: model.decode(z).log_prob(x) + model.prior().log_prob(z)``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Distribution

from jensengap import gaussians, inputs

LogDensity = Callable[[Tensor], Tensor]
# Wu et al. (2017) aim here as well.
GOOD_ACCEPTANCE = 0.65
# Steps beyond this are refused, before a network's outputs overflow: a target with mass
# out there is cut off.
FAR_AWAY = 1e6


class Annealed(NamedTuple):
    r"""Result of an AIS run: log-weights, ends of the chains, acceptance rates.

    Attributes:
        log_w: log-weights in nats, ``(k, b)``; see :func:`forward`, :func:`reverse`.
        z: the ends of the chains, ``(k, b, z)``.
        acceptance: mean probability of accepting a step, ``(t, b)``.
    """

    log_w: Float[Tensor, "k b"]
    z: Float[Tensor, "k b z"]
    acceptance: Float[Tensor, "t b"]


@inputs.checked
def sigmoid_schedule(num: int, sharpness: float = 4.0) -> Float[Tensor, "num_betas"]:
    r"""Make inverse temperatures from 0 to 1, dense at both ends, in float64.

    $\beta_t\propto\sigma\bigl(s\,(2t/T-1)\bigr)$, shifted and scaled to end at 0 and 1.

    Args:
        num: $T$, how many steps, at least 1.
        sharpness: $s$, positive; the larger, the denser at the ends.

    Raises:
        ValueError: ``num`` below 1, or a sharpness that is not positive, or so large
            that two neighbours are the same number (from about 36 on).

    Source: Grosse, Ghahramani and Adams (2015), section 6; a sharpness of 4 is that of
    the code that belongs to Wu et al. (2017).
    """
    if num < 1 or not sharpness > 0:
        raise ValueError(
            f"a schedule needs num >= 1 and a positive sharpness, got {num} and "
            f"{sharpness}"
        )
    betas = torch.linspace(-sharpness, sharpness, num + 1, dtype=torch.float64)
    betas = betas.sigmoid()
    # exactly 0 and 1 at the ends, where the densities are base and target
    betas = (betas - betas[0]) / (betas[-1] - betas[0])
    if not bool((betas.diff() > 0).all()):
        raise ValueError(
            f"sharpness {sharpness:g} makes two of {num + 1} temperatures the same "
            "float; 4 is usual, and up to about 30 all differ"
        )
    return betas


@inputs.checked
def tune(
    base: Distribution,
    log_target: LogDensity,
    betas: Float[Tensor, "num_betas"],
    num_chains: int = 4,
    *,
    num_leapfrog: int = 5,
    num_rounds: int = 3,
) -> Float[Tensor, "t b"]:
    r"""Adapt HMC step sizes to an acceptance rate of 0.65, in chains of their own.

    At each temperature a few steps are made and $\log(\text{step})$ moves by half of
    (acceptance $-$ 0.65) after each. These chains' weights would be biased, since their
    steps depend on where they have been; so they are dropped, and :func:`forward`
    starts afresh with step sizes that are fixed.

    Args:
        base: as for :func:`forward`.
        log_target: as for :func:`forward`.
        betas: as for :func:`forward`.
        num_chains: chains whose acceptance is averaged, at least 1.
        num_leapfrog: gradient steps in each transition, at least 1.
        num_rounds: transitions at each temperature, at least 1.

    Returns:
        Step sizes, ``(t, b)``.

    Raises:
        ValueError: temperatures that do not rise from 0 to 1, or a count below 1.

    Source: Wu et al. (2017), section 5.3.1, for the rate, after Neal (2011); the rule
    that moves the step is this package's own.
    """
    _check(base, betas, min(num_chains, num_rounds), num_leapfrog)
    log_target = _one_a_point(log_target)
    z = base.sample((num_chains,))
    # the base's own width is the scale on which the walk begins; some have none
    try:
        width = base.stddev
    except NotImplementedError:
        width = torch.ones_like(z[0])
    width = torch.where(width.isfinite() & (width > 0), width, 1.0)
    step = width.mean(-1) / num_leapfrog
    steps = []
    for beta in betas[1:]:
        density = _between(base, log_target, beta)
        for _ in range(num_rounds):
            z, accepted = _hmc(density, z, step, num_leapfrog)
            # a factor, so that it stays positive; above 1 where too many are accepted
            step = step * ((accepted.mean(0) - GOOD_ACCEPTANCE) / 2).exp()
        steps.append(step)
    return torch.stack(steps)


@inputs.checked
def forward(
    base: Distribution,
    log_target: LogDensity,
    betas: Float[Tensor, "num_betas"],
    num_chains: int,
    steps: Float[Tensor, "t b"],
    *,
    num_leapfrog: int = 5,
) -> Annealed:
    r"""Run AIS from base to target: $\mathbb E[w]=\int\text{target}(z)\,\mathrm dz$.

    $$\log w=\sum_{t=1}^{T}(\beta_t-\beta_{t-1})
    \bigl[\log\text{target}(z_{t-1})-\log\text{base}(z_{t-1})\bigr],$$

    with $z_0$ from the base and $z_t$ one step of Hamiltonian Monte Carlo from
    $z_{t-1}$ that leaves $f_{\beta_t}$ invariant. :func:`bounds.iwae` of ``log_w`` is a
    lower bound of the log-evidence, in expectation.

    Args:
        base: what is sampled at first, batch shape ``(b,)``; the prior or an encoder.
        log_target: $\log$ of the unnormalised target, ``(k, b, z)`` to ``(k, b)``.
        betas: from 0 to 1, rising.
        num_chains: $k$, independent chains for each example, at least 1.
        steps: a step size for each temperature and example, see :func:`tune`.
        num_leapfrog: gradient steps in each transition, at least 1.

    Returns:
        :class:`Annealed`, ``z`` close to the target's.

    Raises:
        ValueError: temperatures that do not rise from 0 to 1, a count below 1, a base
            without a batch of examples, steps of another shape or not positive, or a
            ``log_target`` of another shape, not differentiable, or NaN.

    Source: Neal (2001); Wu et al. (2017), eqs. 4 and 5, from the prior; Duane et al.
    (1987) and Neal (2011) for Hamiltonian Monte Carlo.
    """
    _check(base, betas, num_chains, num_leapfrog, steps)
    log_target = _one_a_point(log_target)
    z = base.sample((num_chains,))
    ladder = [(betas[t - 1], betas[t], t - 1) for t in range(1, len(betas))]
    log_w, records = torch.zeros_like(z[..., 0]), []
    for before, beta, t in ladder:
        # weight first, move second: z is from the density of the old temperature
        log_w = log_w + (beta - before) * (log_target(z) - gaussians.log_prob(base, z))
        # a point of the new density, from which the next weight is taken
        z, accepted = _hmc(_between(base, log_target, beta), z, steps[t], num_leapfrog)
        records.append(accepted.mean(0))
    return Annealed(_a_number(log_w), z, torch.stack(records))


@inputs.checked
def reverse(
    base: Distribution,
    log_target: LogDensity,
    betas: Float[Tensor, "num_betas"],
    z: Float[Tensor, "k b z"],
    steps: Float[Tensor, "t b"],
    *,
    num_leapfrog: int = 5,
) -> Annealed:
    r"""Run AIS back to the base: $\mathbb E[1/w]=1/\int\text{target}(z)\,\mathrm dz$.

    The steps of :func:`forward` in the opposite order. It needs a ``z`` that is an
    exact draw from the target: the one that generated ``x``, if ``x`` is the model's.
    ``-bounds.iwae(-log_w)`` is an upper bound of the log-evidence, in expectation.

    Args:
        base: as for :func:`forward`.
        log_target: as for :func:`forward`.
        betas: as for :func:`forward`, still from 0 to 1.
        z: exact draws from the normalised target.
        steps: as for :func:`forward`.
        num_leapfrog: as for :func:`forward`.

    Returns:
        :class:`Annealed`, ``z`` close to the base's.

    Raises:
        ValueError: see :func:`forward`.

    Source: Grosse, Ghahramani and Adams (2015); Wu et al. (2017), section 2.3.
    """
    _check(base, betas, len(z), num_leapfrog, steps)
    log_target = _one_a_point(log_target)
    if z.shape[1:] != base.batch_shape + base.event_shape:
        raise ValueError(
            f"z must hold draws for each example of the base, (k, b, z) with (b, z) = "
            f"{tuple(base.batch_shape + base.event_shape)}, got {tuple(z.shape)}"
        )
    ladder = [(betas[t - 1], betas[t], t - 1) for t in range(len(betas) - 1, 0, -1)]
    log_w, records = torch.zeros_like(z[..., 0]), []
    for before, beta, t in ladder:
        # move first, weight second: the steps of forward, in the opposite order
        z, accepted = _hmc(_between(base, log_target, beta), z, steps[t], num_leapfrog)
        log_w = log_w + (beta - before) * (log_target(z) - gaussians.log_prob(base, z))
        records.append(accepted.mean(0))
    # acceptance in the order of rising temperatures, as forward has it
    return Annealed(_a_number(log_w), z, torch.stack(records[::-1]))


def _one_a_point(log_target: LogDensity) -> LogDensity:
    """Make a log-density refuse to return anything but one number for each point."""

    def checked(z: Tensor) -> Tensor:
        value = log_target(z)
        shape = getattr(value, "shape", type(value).__name__)
        # z has a gradient while a chain moves, and then so must the value
        if shape != z.shape[:-1] or (z.requires_grad and not value.requires_grad):
            raise ValueError(
                f"log_target must turn points {tuple(z.shape)} into differentiable "
                f"numbers of shape {tuple(z.shape[:-1])}, got {shape}; sum over what "
                "belongs to one example, and leave out .detach()"
            )
        return value

    return checked


def _between(base: Distribution, log_target: LogDensity, beta: Tensor) -> LogDensity:
    """Return the log-density of the geometric path at one inverse temperature."""
    # the end without the base: outside of its support 0 times infinity is no number
    if beta == 1:
        return log_target
    return lambda z: (1 - beta) * gaussians.log_prob(base, z) + beta * log_target(z)


def _hmc(
    log_density: LogDensity, z: Tensor, step: Tensor, num_leapfrog: int
) -> tuple[Tensor, Tensor]:
    """Take one Hamiltonian Monte Carlo step; return it with its acceptance rate."""
    # one step size for each example, the same for all its coordinates
    step = step[:, None]
    momentum = torch.randn_like(z)
    before, slope = _with_slope(log_density, z)
    # minus the Hamiltonian: log-density minus kinetic energy
    energy = before - momentum.square().sum(-1) / 2
    new, lost = z, torch.zeros_like(before, dtype=torch.bool)
    for _ in range(num_leapfrog):
        # leapfrog: half a kick, a drift, half a kick; it conserves volume
        momentum = momentum + step / 2 * slope
        new = new + step * momentum
        # NaN as well; a path that leaves is refused, as it would be on its way back
        lost = lost | ~(new.abs() < FAR_AWAY).all(-1)
        new = torch.where(lost[..., None], z, new)
        after, slope = _with_slope(log_density, new)
        momentum = momentum + step / 2 * slope
    gain = after - momentum.square().sum(-1) / 2 - energy
    # Metropolis: min(1, exp(gain)), which corrects the leapfrog's error
    accepted = gain.clamp(max=0.0).exp().nan_to_num(nan=0.0).masked_fill(lost, 0.0)
    moves = torch.rand_like(accepted) < accepted
    return torch.where(moves[..., None], new, z), accepted


def _with_slope(log_density: LogDensity, z: Tensor) -> tuple[Tensor, Tensor]:
    """Return a log-density and its gradient in ``z``, without a graph."""
    # callers may be under no_grad; HMC needs this gradient all the same
    with inputs.differentiable():
        z = z.detach().clone().requires_grad_()
        value = log_density(z)
        # chains do not mix, so the sum's gradient holds each one's own
        (slope,) = torch.autograd.grad(value.sum(), z, allow_unused=True)
    return value.detach(), torch.zeros_like(z) if slope is None else slope


def _a_number(log_w: Tensor) -> Tensor:
    """Refuse NaN: whatever is computed from it would be NaN as well."""
    if not inputs.every(~log_w.isnan()):
        raise ValueError(
            f"log_target must be a number wherever a chain goes, got NaN in "
            f"{int(log_w.isnan().sum())} of {log_w.numel()} chains; return -inf where "
            "the target has no mass"
        )
    return log_w


def _check(
    base: Distribution,
    betas: Tensor,
    num_chains: int,
    num_leapfrog: int,
    steps: Tensor | None = None,
) -> None:
    rising = len(betas) > 1 and bool((betas.diff() > 0).all())
    if not rising or betas[0] != 0 or betas[-1] != 1:
        raise ValueError(
            "betas must rise from 0 to 1, got "
            f"{[round(b, 3) for b in betas.tolist()][:8]}; sigmoid_schedule makes them"
        )
    if num_chains < 1 or num_leapfrog < 1:
        raise ValueError(
            "ais needs at least one chain and one leapfrog step, got "
            f"{num_chains} and {num_leapfrog}"
        )
    if len(base.batch_shape) != 1 or len(base.event_shape) != 1:
        raise ValueError(
            "base must have batch shape (b,), an entry for each example, and event "
            f"shape (z,), got {tuple(base.batch_shape)} and {tuple(base.event_shape)}; "
            "a prior becomes one by .expand((b,))"
        )
    if steps is not None:
        wanted = len(betas) - 1, base.batch_shape[0]
        if tuple(steps.shape) != wanted or not inputs.every(
            (steps > 0) & steps.isfinite()
        ):
            raise ValueError(
                f"steps must be positive, finite and of shape (t, b) = {wanted}, got "
                f"shape {tuple(steps.shape)} and {steps.min().item():g} at least; tune "
                "makes them"
            )
