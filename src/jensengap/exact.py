r"""Latent-variable models with closed-form evidence and posterior: ground truth.

A linear-Gaussian model in closed form, also fitted to data (probabilistic PCA); a
mixture by enumeration; the likelihood of a network at every node of a rule from
``quadrature``; the best discriminator. Log-densities are in nats per example; use
float64 for identities.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Distribution, Independent, MultivariateNormal

from jensengap import bernoulli_pixels, gaussians, inputs, nets, numeric


class LinearGaussian(NamedTuple):
    r"""Linear-Gaussian model, $z\sim\mathcal N(0,I)$, $x|z\sim\mathcal N(Wz+b,\,s^2I)$.

    Everything about it is Gaussian and in closed form; each method raises a
    ``ValueError`` where ``scale`` is not positive and finite, where the three do not
    fit each other, or where it is given vectors of another length. Fitted to data by
    :func:`probabilistic_pca`.

    Attributes:
        weight: $W$, ``(d, z)``.
        bias: $b$, ``(d,)``.
        scale: $s$, the noise's standard deviation, positive.

    Source: Tipping and Bishop (1999); Bishop (2006), section 12.2, and eq. 12.42 for
    the posterior.
    """

    weight: Float[Tensor, "d z"]
    bias: Float[Tensor, "d"]
    scale: float

    @inputs.checked
    def likelihood(self, z: Float[Tensor, "*b z"]) -> Independent:
        r"""Return $p(x\,|\,z)$, batch shape ``(*b)``, event shape ``(d,)``."""
        self._takes("z", z, self.weight.shape[-1])
        self.variance()
        return nets.gaussian(z @ self.weight.mT + self.bias, self.scale)

    def evidence(self) -> MultivariateNormal:
        r"""Return $p(x)=\mathcal N(b,\,WW^\top+s^2I)$, event shape ``(d,)``.

        Raises:
            ValueError: noise so small beside $W$ that the sum is only rounding.
        """
        self._takes("bias", self.bias, len(self.weight))
        rounding = 10 * torch.finfo(self.weight.dtype).eps * self.weight.square().sum()
        if not inputs.every(self.variance() >= rounding):
            raise ValueError(
                f"scale must be above {rounding.item() ** 0.5:.1g} beside these "
                f"weights in {self.weight.dtype}, got {self.variance() ** 0.5:g}: the "
                "noise is lost in rounding; call .double() on all parts"
            )
        noise = self.variance() * _identity(len(self.bias), self.weight)
        return MultivariateNormal(self.bias, self.weight @ self.weight.mT + noise)

    @inputs.checked
    def posterior(self, x: Float[Tensor, "*b d"]) -> MultivariateNormal:
        r"""Return $p(z\,|\,x)=\mathcal N(M^{-1}W^\top(x-b),\,s^2M^{-1})$.

        Here $M=W^\top W+s^2I$. Batch shape ``(*b)``, event shape ``(z,)``.
        """
        self._takes("x", x, len(self.weight))
        identity = _identity(self.weight.shape[1], self.weight)
        # in latent space: z by z numbers, where the evidence has d by d
        precision = (self.weight.mT @ self.weight) / self.variance() + identity
        loc = (x - self.bias) @ self.weight / self.variance()
        # solve, not inv: less work, and less rounding
        loc = torch.linalg.solve(precision, loc[..., None])[..., 0]
        return MultivariateNormal(loc, precision_matrix=precision)

    @inputs.checked
    def reconstruction(
        self, x: Float[Tensor, "*#b d"], q: Distribution
    ) -> Float[Tensor, "*#b"]:
        r"""Return $\mathbb E_q[\log p(x\,|\,z)]$ in closed form, ``q`` a Gaussian.

        It is $\log p(x\,|\,\mu)-\frac{1}{2s^2}\mathrm{tr}(W\Sigma W^\top)$: the value
        at the mean of ``q``, less the effect of its covariance, diagonal or full. Nats
        per example.
        """
        self._takes("x", x, len(self.weight))
        factor = gaussians.scale_tril(q)
        self._takes("q", q.mean, self.weight.shape[1])
        spread = self.weight @ factor
        # with Σ = LL^T the trace is the sum of the squares of WL
        spread = spread.square().sum((-1, -2))
        return self.likelihood(q.mean).log_prob(x) - spread / (2 * self.variance())

    def variance(self) -> float | Tensor:
        """Return $s^2$; raise ValueError for an $s$ that is no positive number."""
        scale = numeric.real("scale", self.scale)
        # one that is learned stays a tensor
        if isinstance(self.scale, Tensor) and self.scale.requires_grad:
            scale = self.scale
        if not 0 < scale < math.inf:
            raise ValueError(
                f"scale must be positive and finite, got {scale}; it is the "
                "standard deviation of the noise"
            )
        return scale**2

    def _takes(self, name: str, value: Tensor, size: int) -> None:
        """Refuse vectors of another length, dtype or device than the weights'."""
        weight = self.weight
        if weight.dim() == 2 and name != "bias":
            self._takes("bias", self.bias, len(weight))
        if weight.dim() != 2 or value.shape[-1:] != (size,):
            raise ValueError(
                f"{name} must hold vectors of length {size}, as the weights of shape "
                f"{tuple(weight.shape)} (d, z) say, got shape {tuple(value.shape)}"
            )
        inputs.alike(name, value, weight)
        if weight.dtype not in (torch.float32, torch.float64):
            raise ValueError(
                f"weight must be float32 or float64, got {weight.dtype}: linear "
                "systems are solved with it; call .double() on all parts"
            )


def _identity(size: int, like: Tensor) -> Tensor:
    return torch.eye(size, dtype=like.dtype, device=like.device)


@inputs.checked
def probabilistic_pca(
    x: Float[Tensor, "n d"], latent_dim: int, scale: float | None = None
) -> LinearGaussian:
    r"""Fit :class:`LinearGaussian` by maximum likelihood, in closed form.

    With the eigenvalues $\lambda_1\ge\dots\ge\lambda_d$ and eigenvectors $u_i$ of the
    data's covariance (divided by $n$),

    $$b=\bar x,\qquad w_i=u_i\sqrt{\max(\lambda_i-s^2,\,0)},\qquad
    s^2=\frac1{d-z}\sum_{i>z}\lambda_i .$$

    Args:
        x: data, one example a row.
        latent_dim: $z$, columns of the weight matrix, from 1 to ``d`` (to ``d - 1``
            where the noise is fitted too).
        scale: $s$ where the noise is given; fitted where it is ``None``. A column is
            zero where its eigenvalue is at most $s^2$.

    Returns:
        The model, in the dtype of ``x``; any rotation of its columns fits as well.

    Raises:
        ValueError: no example, a ``latent_dim`` out of range, a scale that is not
            positive and finite, or data without noise left to fit.

    Source: Tipping and Bishop (1999); Bishop (2006), section 12.2.1, and eq. 12.46 for
    the noise.
    """
    num, dim = x.shape
    # with all d axes taken, nothing is left to estimate the noise from
    most = dim if scale is not None else dim - 1
    if not 1 <= latent_dim <= most:
        raise ValueError(
            f"probabilistic_pca needs an example and latent_dim from 1 to {most}, got "
            f"{num} examples and latent_dim={latent_dim}"
        )
    inputs.finite("x", x)
    # in units of the largest entry, whose square need be no float
    unit = x.abs().amax().clamp(min=torch.finfo(x.dtype).tiny).item()
    wide = inputs.single(x) / unit
    given, scale = scale, None if scale is None else scale / unit
    bias = wide.mean(0)
    # divided by n, not n - 1: maximum likelihood
    covariance = (wide - bias).mT @ (wide - bias) / num
    values, vectors = torch.linalg.eigh(covariance)  # ascending
    values, vectors = values.flip(0), vectors.flip(1)
    if scale is None:
        left = values[latent_dim:].mean().item()
        # rounding leaves about this much of the largest where nothing is left
        rounding = dim * torch.finfo(values.dtype).eps * values[0].item()
        if not left > rounding:
            raise ValueError(
                f"x must vary in more than {latent_dim} directions, got a variance of "
                f"{left:.1e} in the others, which is rounding; lower latent_dim, or "
                "give scale"
            )
        scale = left**0.5
    model = LinearGaussian(vectors[:, :latent_dim], bias, scale)
    # an axis with less variance than the noise is dropped: its column is zero
    spread = (values[:latent_dim] - model.variance()).clamp(min=0).sqrt()
    weight, bias = (model.weight * spread * unit).to(x.dtype), (bias * unit).to(x.dtype)
    return LinearGaussian(weight, bias, model.scale * unit if given is None else given)


class BernoulliMixture(NamedTuple):
    r"""Mixture of $m$ Bernoulli vectors, $p(z)=\pi_z$, $p(x_j=1\,|\,z)=\rho_{zj}$.

    With $z=1,\dots,m$ and $x_j\,|\,z\sim\mathrm{Bernoulli}(\rho_{zj})$, the pixels
    independent given $z$. Its evidence is a sum of $m$ terms: nothing is intractable.

    Attributes:
        weights: $\pi$, ``(m,)``, not negative and of sum one.
        probs: $\rho$, ``(m, d)``, in [0, 1]; at 0 and 1 a pixel is certain.

    Source: Bishop (2006), section 9.3.3.
    """

    weights: Float[Tensor, "m"]
    probs: Float[Tensor, "m d"]

    @inputs.checked
    def log_joint(self, x: Float[Tensor, "*b d"]) -> Float[Tensor, "m *b"]:
        r"""Return $\log p(x,z)$ in nats, component axis first; ``x`` is binary.

        Args:
            x: zeros and ones.

        Raises:
            ValueError: grey pixels, another number of pixels, or weights and
                probabilities that are none.
        """
        self._checked(x)
        rows = x.reshape(-1, x.shape[-1])
        # sum of x log rho + (1 - x) log(1 - rho), as one matrix product
        log_lik = nets.bernoulli_log_probs(torch.logit(self.probs), rows)  # (m, n)
        log_joint = log_lik + self.weights.log()[:, None]
        return log_joint.reshape(-1, *x.shape[:-1])

    def log_evidence(self, x: Float[Tensor, "*b d"]) -> Float[Tensor, "*b"]:
        r"""Return $\log p(x)=\log\sum_z p(x,z)$, nats per example."""
        return self.log_joint(x).logsumexp(0)

    def posterior(self, x: Float[Tensor, "*b d"]) -> Float[Tensor, "m *b"]:
        r"""Return $p(z\,|\,x)$, component axis first, of sum one.

        Raises:
            ValueError: as :meth:`log_joint`, or an ``x`` that no component generates.
        """
        log_joint = self.log_joint(x)
        if not inputs.every(log_joint.amax(0) > -math.inf):
            raise ValueError(
                "x must have a probability under some component, got one that has "
                "none, and so no posterior; keep probs away from 0 and 1"
            )
        return log_joint.softmax(0)

    def _checked(self, x: Tensor) -> None:
        m, d = (*self.probs.shape, 0, 0)[:2]
        if self.probs.dim() != 2 or self.weights.shape != (m,) or x.shape[-1] != d:
            raise ValueError(
                "weights (m,), probs (m, d) and x (*b, d) must fit each other, got "
                f"{tuple(self.weights.shape)}, {tuple(self.probs.shape)} and "
                f"{tuple(x.shape)}"
            )
        inputs.alike("x", x, self.probs)
        bernoulli_pixels.binary("x", x)
        # rounding of m numbers in their own dtype
        off = self.weights.to(inputs.widest(x)).sum()
        slack = 4 * m * torch.finfo(self.weights.dtype).eps
        are_probs = (self.probs >= 0) & (self.probs <= 1)
        if not inputs.every(are_probs) or not inputs.every(
            ((off - 1).abs() <= slack) & (self.weights >= 0)
        ):
            raise ValueError(
                "weights must not be negative and sum to one, and probs must be in "
                f"[0, 1], got weights of sum {off.item():g} and probs from "
                f"{self.probs.min().item():g} to {self.probs.max().item():g}"
            )


@inputs.checked
def bernoulli_log_likelihood(
    decoder: nets.Conditional,
    x: Float[Tensor, "b d"],
    nodes: Float[Tensor, "n z"],
    chunk: int = 4096,
) -> Float[Tensor, "n b"]:
    r"""Evaluate $\log p(x\,|\,z)$ of all images at all nodes, for a Bernoulli decoder.

    With logits $\ell$, $\log p(x\,|\,z)=x^\top\ell-\sum_j\log(1+e^{\ell_j})$: the
    decoder is run once for each node and one matrix product serves all images.

    Args:
        decoder: network with the head :func:`nets.bernoulli`.
        x: binary images.
        nodes: where to evaluate, of the decoder's dtype.
        chunk: nodes decoded at a time; memory beyond the result is about
            ``8 * chunk * d`` numbers.

    Returns:
        Nats, ``(n, b)``, no gradients.

    Raises:
        ValueError: another head, a shape or dtype that is not the decoder's, grey
            pixels, or a ``chunk`` below 1.

    Source: Kingma and Welling (2014), eq. 11, by log-odds.
    """
    if decoder.head is not nets.bernoulli:
        raise ValueError(
            f"the decoder's head must be nets.bernoulli, got {decoder.head}; "
            "for another likelihood use decoder(nodes).log_prob"
        )
    dtype = next(decoder.parameters()).dtype
    if not x.dtype == nodes.dtype == dtype:
        raise ValueError(
            f"x ({x.dtype}) and nodes ({nodes.dtype}) must have the decoder's dtype "
            f"{dtype}; call .double() on all three for an identity"
        )
    if chunk < 1:
        raise ValueError(f"chunk must be at least 1, got {chunk}")
    bernoulli_pixels.binary("x", x)
    with torch.no_grad():
        rows = [
            nets.bernoulli_log_probs(inputs.run(decoder.net, part), x)
            for part in nodes.split(chunk)
        ]
        return torch.cat(rows)


@inputs.checked
def optimal_discriminator(
    log_p: Float[Tensor, "*#n"], log_q: Float[Tensor, "*#n"]
) -> Float[Tensor, "*#n"]:
    r"""Compute the optimal discriminator, $D^*(x)=\frac{p(x)}{p(x)+q(x)}$.

    Args:
        log_p: log-density of the data.
        log_q: log-density of the generator.

    Returns:
        Probability of "real", in [0, 1]. Where both densities are zero it is not
        defined, and the result is NaN.

    Source: Goodfellow et al. (2014), proposition 1, eq. 2.
    """
    # by the log-ratio: the densities themselves underflow far from both modes
    return torch.sigmoid(log_p - log_q)
