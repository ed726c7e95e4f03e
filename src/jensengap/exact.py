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
from torch.distributions import Independent, MultivariateNormal

from jensengap import nets


class LinearGaussian(NamedTuple):
    r"""Linear-Gaussian model, $z\sim\mathcal N(0,I)$, $x|z\sim\mathcal N(Wz+b,\,s^2I)$.

    Everything about it is Gaussian and in closed form; each method raises a
    ``ValueError`` where ``scale`` is not positive and finite. Fitted to data by
    :func:`probabilistic_pca`. Source: Tipping and Bishop (1999), equations 3 to 8.

    Attributes:
        weight: $W$, ``(d, z)``.
        bias: $b$, ``(d,)``.
        scale: $s$, the noise's standard deviation, positive.
    """

    weight: Float[Tensor, "d z"]
    bias: Float[Tensor, "d"]
    scale: float

    def likelihood(self, z: Float[Tensor, "*b z"]) -> Independent:
        r"""Return $p(x\,|\,z)$, batch shape ``(*b)``, event shape ``(d,)``."""
        return nets.gaussian(z @ self.weight.mT + self.bias, self.scale)

    def evidence(self) -> MultivariateNormal:
        r"""Return $p(x)=\mathcal N(b,\,WW^\top+s^2I)$, event shape ``(d,)``."""
        noise = self.variance() * torch.eye(len(self.bias), dtype=self.bias.dtype)
        return MultivariateNormal(self.bias, self.weight @ self.weight.mT + noise)

    def posterior(self, x: Float[Tensor, "*b d"]) -> MultivariateNormal:
        r"""Return $p(z\,|\,x)=\mathcal N(M^{-1}W^\top(x-b),\,s^2M^{-1})$.

        Here $M=W^\top W+s^2I$. Batch shape ``(*b)``, event shape ``(z,)``.
        """
        identity = torch.eye(self.weight.shape[1], dtype=self.weight.dtype)
        # in latent space: z by z numbers, where the evidence has d by d
        precision = (self.weight.mT @ self.weight) / self.variance() + identity
        loc = (x - self.bias) @ self.weight / self.variance()
        # solve, not inv: less work, and less rounding
        loc = torch.linalg.solve(precision, loc[..., None])[..., 0]
        return MultivariateNormal(loc, precision_matrix=precision)

    def reconstruction(
        self, x: Float[Tensor, "*#b d"], q: Independent
    ) -> Float[Tensor, "*#b"]:
        r"""Return $\mathbb E_q[\log p(x\,|\,z)]$ in closed form, ``q`` a Gaussian.

        It is $\log p(x\,|\,\mu)-\frac{1}{2s^2}\sum_{ij}W_{ij}^2\sigma_j^2$: the value
        at the mean of ``q``, diagonal, less the effect of its variance. Nats per
        example.
        """
        # the trace of W Σ W^T, without forming the d by d matrix
        spread = (self.weight.square() @ q.variance[..., None])[..., 0].sum(-1)
        return self.likelihood(q.mean).log_prob(x) - spread / (2 * self.variance())

    def variance(self) -> float:
        """Return $s^2$; raise ValueError for an $s$ that is no positive number."""
        if not 0 < self.scale < math.inf:
            raise ValueError(
                f"scale must be positive and finite, got {self.scale}; it is the "
                "standard deviation of the noise"
            )
        return self.scale**2


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

    Source: Tipping and Bishop (1999), eqs. 7 and 8 and appendix A.
    """
    num, dim = x.shape
    # with all d axes taken, nothing is left to estimate the noise from
    most = dim if scale is not None else dim - 1
    if num < 1 or not 1 <= latent_dim <= most:
        raise ValueError(
            f"probabilistic_pca needs an example and latent_dim from 1 to {most}, got "
            f"{num} examples and latent_dim={latent_dim}"
        )
    bias = x.mean(0)
    # divided by n, not n - 1: maximum likelihood
    covariance = (x - bias).mT @ (x - bias) / num
    values, vectors = torch.linalg.eigh(covariance)  # ascending
    values, vectors = values.flip(0), vectors.flip(1)
    if scale is None:
        # rounding may leave a mean of -1e-17
        scale = max(values[latent_dim:].mean().item(), 0.0) ** 0.5
    model = LinearGaussian(vectors[:, :latent_dim], bias, scale)
    # an axis with less variance than the noise is dropped: its column is zero
    spread = (values[:latent_dim] - model.variance()).clamp(min=0).sqrt()
    return model._replace(weight=model.weight * spread)


class BernoulliMixture(NamedTuple):
    r"""Mixture of $m$ Bernoulli vectors, $p(z)=\pi_z$, $p(x_j=1\,|\,z)=\rho_{zj}$.

    With $z=1,\dots,m$ and $x_j\,|\,z\sim\mathrm{Bernoulli}(\rho_{zj})$. Its evidence
    is a sum of $m$ terms: nothing is intractable. Source: Bishop (2006), section 9.3.3.

    Attributes:
        weights: $\pi$, ``(m,)``, not negative and of sum one.
        probs: $\rho$, ``(m, d)``, in (0, 1).
    """

    weights: Float[Tensor, "m"]
    probs: Float[Tensor, "m d"]

    def log_joint(self, x: Float[Tensor, "*b d"]) -> Float[Tensor, "m *b"]:
        r"""Return $\log p(x,z)$ in nats, component axis first; ``x`` is binary."""
        log_on, log_off = self.probs.log(), torch.log1p(-self.probs)
        # sum of x log rho + (1 - x) log(1 - rho), as one matrix product
        log_lik = x @ (log_on - log_off).mT + log_off.sum(-1)  # (*b, m)
        return (log_lik + self.weights.log()).movedim(-1, 0)

    def log_evidence(self, x: Float[Tensor, "*b d"]) -> Float[Tensor, "*b"]:
        r"""Return $\log p(x)=\log\sum_z p(x,z)$, nats per example."""
        return self.log_joint(x).logsumexp(0)

    def posterior(self, x: Float[Tensor, "*b d"]) -> Float[Tensor, "m *b"]:
        r"""Return $p(z\,|\,x)$, component axis first, of sum one."""
        return self.log_joint(x).softmax(0)


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
            ``3 * chunk * d`` numbers.

    Returns:
        Nats, ``(n, b)``, no gradients.

    Raises:
        ValueError: another head, a dtype that is not the decoder's, or grey pixels.
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
    if not bool(((x == 0) | (x == 1)).all()):
        raise ValueError(
            "x must be 0 or 1: a Bernoulli gives grey pixels no probability; "
            "draw binary images with data.binarize"
        )
    with torch.no_grad():
        rows = [
            nets.bernoulli_log_probs(decoder.net(part), x)
            for part in nodes.split(chunk)
        ]
        return torch.cat(rows)


def optimal_discriminator(
    log_p: Float[Tensor, "*n"], log_q: Float[Tensor, "*n"]
) -> Float[Tensor, "*n"]:
    r"""Compute the optimal discriminator, $D^*(x)=\frac{p(x)}{p(x)+q(x)}$.

    Args:
        log_p: log-density of the data.
        log_q: log-density of the generator.

    Returns:
        Probability of "real", in [0, 1]. Where both densities are zero it is not
        defined, and the result is NaN.

    Source: Goodfellow et al. (2014), proposition 1.
    """
    # by the log-ratio: the densities themselves underflow far from both modes
    return torch.sigmoid(log_p - log_q)
