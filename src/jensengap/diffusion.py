r"""Diffusion models (DDPM) as a chain of latent variables: schedule, kernels, ELBO.

The data $x_0$ becomes noise by $T$ Gaussian steps that nobody learns,
$q(x_t\,|\,x_{t-1})=\mathcal N(\sqrt{\alpha_t}\,x_{t-1},\,\beta_tI)$, where
$\alpha_t=1-\beta_t$. A model walks back. Its one network predicts the noise:
``predict(x_t, t)``, from points ``(*b, d)`` and steps that broadcast to ``(*b)``.

Source: Sohl-Dickstein et al. (2015); Ho, Jain and Abbeel (2020), eq. 2.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float, Integer
from torch import Tensor
from torch.distributions import Independent, Normal, kl_divergence

from jensengap import inputs, nets

Predictor = Callable[[Tensor, Tensor], Tensor]


class Schedule(NamedTuple):
    r"""Noise schedule; index 0 of every tensor is the data itself.

    Attributes:
        beta: $\beta_t$, the variance that step $t$ adds, ``(T + 1,)``; the first is 0.
        alpha_bar: $\bar\alpha_t=\prod_{s\le t}(1-\beta_s)$, the same shape; first 1.

    Source: Ho, Jain and Abbeel (2020), section 2.
    """

    beta: Float[Tensor, "steps"]
    alpha_bar: Float[Tensor, "steps"]

    @property
    def num_steps(self) -> int:
        """Return T, the number of steps from the data to the noise."""
        return len(self.beta) - 1

    @property
    def noise_variance(self) -> Float[Tensor, "steps"]:
        r"""Return $1-\bar\alpha_t$, the noise's variance in $x_t$; the first is 0."""
        # from the variances: of small ones 1 - alpha_bar has lost all digits
        return -torch.expm1(torch.log1p(-self.beta).cumsum(0))

    @property
    def noise_weights(self) -> Float[Tensor, "steps"]:
        r"""Return the bound's weights of $\|\varepsilon-\hat\varepsilon\|^2$, in nats.

        $w_t=\beta_t/(2\alpha_t(1-\bar\alpha_t))$; the first entry is 0.

        Source: Ho, Jain and Abbeel (2020), eq. 12 with $\sigma_t^2=\beta_t$.
        """
        beta, left = self.beta[1:], self.noise_variance[1:]
        weight = beta / (2 * (1 - beta) * left)
        # index 0 is the data: no step leads there, and nothing is weighted
        return torch.cat([torch.zeros_like(weight[:1]), weight])


@inputs.checked
def schedule(betas: Float[Tensor, "t"]) -> Schedule:
    r"""Make a noise schedule from the variances $\beta_1,\dots,\beta_T$ that steps add.

    Args:
        betas: each between 0 and 1, both excluded.

    Returns:
        The schedule, in float64.

    Raises:
        ValueError: no step, or a variance out of range.

    Source: Ho, Jain and Abbeel (2020), section 2.
    """
    if not bool(((betas > 0) & (betas < 1)).all()):
        raise ValueError(
            "a schedule needs variances between 0 and 1, got "
            f"{betas.min().item():g} to {betas.max().item():g}; at 1 a step would "
            "forget everything, at 0 it would do nothing"
        )
    # float64: alpha_bar is a product of up to a thousand factors near 1
    betas = betas.double().cpu()
    beta = torch.cat([torch.zeros_like(betas[:1]), betas])
    return Schedule(beta, (1 - beta).cumprod(0))


@inputs.checked
def cosine_schedule(
    num_steps: int, *, offset: float = 0.008, max_beta: float = 0.999
) -> Schedule:
    r"""Make the cosine schedule, $\bar\alpha_t\propto\cos^2\frac\pi2\frac{t/T+o}{1+o}$.

    It holds up to the first step that ``max_beta`` shortens, by default the last one.

    Args:
        num_steps: $T$, at least 1.
        offset: $o$, positive; keeps the first steps from being too small.
        max_beta: the largest $\beta_t$, below 1, which the last step alone would reach.

    Returns:
        The schedule.

    Raises:
        ValueError: no step, an offset that is not positive, or a ``max_beta`` that is
            not between 0 and 1.

    Source: Nichol and Dhariwal (2021), eq. 17.
    """
    # an offset beyond this leaves no cosine: the steps are lost in its rounding
    if num_steps < 1 or not 0 < offset < 1e6 or not 0 < max_beta < 1:
        raise ValueError(
            "a cosine schedule needs num_steps >= 1, offset > 0 and max_beta in (0, 1),"
            f" got {num_steps}, {offset} and {max_beta}"
        )
    time = torch.linspace(0, 1, num_steps + 1, dtype=torch.float64)
    kept = ((time + offset) / (1 + offset) * math.pi / 2).cos().square()
    # kept ends at 0, and a last step of variance 1 would forget everything
    return schedule((1 - kept[1:] / kept[:-1]).clamp(max=max_beta))


@inputs.checked
def diffuse(
    noise: Schedule, x_0: Float[Tensor, "*#b d"], t: Integer[Tensor, "*#b"]
) -> Independent:
    r"""Give $q(x_t\,|\,x_0)=\mathcal N(\sqrt{\bar\alpha_t}\,x_0,\,(1-\bar\alpha_t)I)$.

    Args:
        noise: the schedule.
        x_0: data.
        t: steps, from 1 to $T$, broadcastable to the points.

    Raises:
        ValueError: a step that is out of range, or shapes that do not fit.

    Source: Sohl-Dickstein et al. (2015); Ho, Jain and Abbeel (2020), eq. 4.
    """
    tables = [noise.alpha_bar.sqrt(), noise.noise_variance.sqrt()]
    mean, scale = _at(tables, t, x_0, first=1)
    return nets.gaussian(mean * x_0, scale)


@inputs.checked
def posterior(
    noise: Schedule,
    x_t: Float[Tensor, "*#b d"],
    x_0: Float[Tensor, "*#b d"],
    t: Integer[Tensor, "*#b"],
) -> Independent:
    r"""Give $q(x_{t-1}\,|\,x_t,x_0)=\mathcal N(\tilde\mu_t,\,\tilde\beta_tI)$.

    $$\tilde\mu_t=\frac{\sqrt{\bar\alpha_{t-1}}\,\beta_t}{1-\bar\alpha_t}\,x_0
    +\frac{\sqrt{\alpha_t}\,(1-\bar\alpha_{t-1})}{1-\bar\alpha_t}\,x_t,\qquad
    \tilde\beta_t=\frac{1-\bar\alpha_{t-1}}{1-\bar\alpha_t}\,\beta_t$$

    Args:
        noise: the schedule.
        x_t: where the step back starts.
        x_0: the data point that it comes from.
        t: steps, from 2 to $T$; at 1 the step back is certain, and has no density.

    Raises:
        ValueError: a step that is out of range.

    Source: Ho, Jain and Abbeel (2020), eqs. 6 and 7.
    """
    beta, kept, left = noise.beta, noise.alpha_bar, noise.noise_variance
    # of the step before; of the data there is none, and nobody looks it up
    kept_before, left_before = (torch.cat([a[:1], a[:-1]]) for a in (kept, left))
    to_data = kept_before.sqrt() * beta / left
    to_here = (1 - beta).sqrt() * left_before / left
    scale = (left_before / left * beta).sqrt()
    to_data, to_here, scale = _at([to_data, to_here, scale], t, x_t, first=2)
    return nets.gaussian(to_data * x_0 + to_here * x_t, scale)


@inputs.checked
def reverse(
    noise: Schedule,
    x_t: Float[Tensor, "*#b d"],
    eps: Float[Tensor, "*#b d"],
    t: Integer[Tensor, "*#b"],
) -> Independent:
    r"""Give $p(x_{t-1}\,|\,x_t)$, the model's reverse step for a predicted noise.

    $$\mathcal N\Bigl(\frac1{\sqrt{\alpha_t}}\Bigl(x_t-\frac{\beta_t}
    {\sqrt{1-\bar\alpha_t}}\,\hat\varepsilon\Bigr),\ \beta_tI\Bigr)$$

    Its variance is that of the step forwards, which is right for many small steps.

    Args:
        noise: the schedule.
        x_t: where the step back starts.
        eps: $\hat\varepsilon$, the prediction of the noise in ``x_t``.
        t: steps, from 1 to $T$.

    Raises:
        ValueError: a step that is out of range.

    Source: Ho, Jain and Abbeel (2020), eq. 11; section 3.2 for the variance.
    """
    beta, left = noise.beta, noise.noise_variance.sqrt()
    to_noise, shrink = beta / left, (1 - beta).sqrt()
    to_noise, shrink, scale = _at([to_noise, shrink, beta.sqrt()], t, x_t, first=1)
    return nets.gaussian((x_t - to_noise * eps) / shrink, scale)


def _at(tables: list[Tensor], t: Tensor, x: Tensor, first: int) -> list[Tensor]:
    """Look tables up at steps ``t``: trailing axis, dtype and device of ``x``."""
    last = len(tables[0]) - 1
    if not inputs.every((t >= first) & (t <= last)):
        raise ValueError(
            f"steps must lie between {first} and {last}, got {int(t.min())} to "
            f"{int(t.max())}; x_0 is the data, x_{last} the noise"
        )
    # int64: torch takes uint8 for truth values, not for places
    rows = t.cpu().long()
    # computed in float64, where 1 - alpha_bar has digits, and only then rounded
    return [table[rows].to(x.dtype).to(x.device)[..., None] for table in tables]


class Terms(NamedTuple):
    r"""Terms of the ELBO, $-\mathrm{ELBO}=L_T+\sum_{t=2}^TL_{t-1}+L_0$, in nats.

    Attributes:
        prior: $L_T=\mathrm{KL}(q(x_T|x_0)\,\|\,p(x_T))$, ``(n,)``; no parameters.
        steps: $L_{t-1}=\mathrm{KL}(q(x_{t-1}|x_t,x_0)\,\|\,p(x_{t-1}|x_t))$ for
            $t=2,\dots,T$, one drawn $x_t$ each, ``(T - 1, n)``.
        data: $L_0=-\log p(x_0|x_1)$ at one drawn $x_1$, ``(n,)``.

    Source: Ho, Jain and Abbeel (2020), eq. 5; their $L_0$ is of discrete pixels (eq.
    13), this one of a density.
    """

    prior: Float[Tensor, "n"]
    steps: Float[Tensor, "s n"]
    data: Float[Tensor, "n"]

    @property
    def elbo(self) -> Float[Tensor, "n"]:
        """Return the ELBO: in expectation a lower bound of log p(x_0)."""
        return -(self.prior + self.steps.sum(0) + self.data)


@inputs.checked
def terms(noise: Schedule, x_0: Float[Tensor, "n d"], predict: Predictor) -> Terms:
    r"""Estimate every term of the ELBO from one draw of each $x_t$.

    Args:
        noise: the schedule.
        x_0: data.
        predict: the noise predictor, called once with points ``(T, n, d)`` and steps
            ``(T, 1)``.

    Returns:
        :class:`Terms`, unbiased for each example, differentiable in the predictor.

    Raises:
        ValueError: a prediction that has not the shape of the points.

    Source: Ho, Jain and Abbeel (2020), eq. 5.
    """
    t = torch.arange(1, noise.num_steps + 1, device=x_0.device)[:, None]
    start = x_0.expand(noise.num_steps, *x_0.shape)
    x_t = diffuse(noise, start, t).sample()  # (T, n, d), each t by itself
    eps = predict(x_t, t)
    if getattr(eps, "shape", None) != x_t.shape:
        raise ValueError(
            f"predict must return the noise in every point, shape {tuple(x_t.shape)}, "
            f"got {tuple(getattr(eps, 'shape', ()))}; t has shape {tuple(t.shape)}"
        )
    back = reverse(noise, x_t, eps, t)
    last = diffuse(noise, x_0, t[-1])
    # without parameters: both distributions of x_T are fixed
    prior = kl_divergence(last, nets.gaussian(torch.zeros_like(x_0), 1.0))
    # step 1 is a decoder: a density of x_0, where later steps have a KL
    data = -nets.gaussian(back.mean[0], back.stddev[0]).log_prob(x_0)
    later = Normal(back.mean[1:], back.stddev[1:])
    truth = posterior(noise, x_t[1:], start[1:], t[1:]).base_dist
    # summed by hand: with T = 1 there is no such step, and Independent cannot sum none
    return Terms(prior, kl_divergence(truth, later).sum(-1), data)
