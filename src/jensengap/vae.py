r"""The variational autoencoder: its ELBO, log-weights, evidence and samples."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.distributions import Distribution, kl_divergence

from jensengap import nets


class Terms(NamedTuple):
    r"""The two terms of the ELBO; both ``(b,)``, in nats per example.

    Attributes:
        reconstruction: $\mathbb E_q[\log p(x\,|\,z)]$, by sampling ``z``.
        kl_prior: $\mathrm{KL}(q(z\,|\,x)\,\|\,p(z))$, in closed form.
    """

    reconstruction: Float[Tensor, "b"]
    kl_prior: Float[Tensor, "b"]

    @property
    def elbo(self) -> Float[Tensor, "b"]:
        """Return reconstruction minus KL to the prior: a lower bound in expectation."""
        return self.reconstruction - self.kl_prior


class Evidence(NamedTuple):
    r"""Importance-sampling estimate of $\log p(x)$, with its ESS; both ``(b,)``.

    Attributes:
        log_p: $\log\frac1k\sum_i w_i$ in nats: in expectation a lower bound.
        effective_sample_size: how many equal weights the ``k`` are worth; close to 1
            it says that the number beside it cannot be trusted.
    """

    log_p: Float[Tensor, "b"]
    effective_sample_size: Float[Tensor, "b"]


class VAE(nn.Module):
    r"""Variational autoencoder, $p(z)\,p_\theta(x\,|\,z)$ and $q_\phi(z\,|\,x)$.

    Args:
        encoder: from ``x`` to the distribution $q(z\,|\,x)$.
        decoder: from ``z`` to the distribution $p(x\,|\,z)$.
        prior: a module that returns $p(z)$ when called.

    Source: Kingma and Welling (2014); Rezende, Mohamed and Wierstra (2014).
    """

    def __init__(
        self, encoder: nets.Conditional, decoder: nets.Conditional, prior: nn.Module
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.prior = prior

    def encode(self, x: Float[Tensor, "b d"]) -> Distribution:
        r"""Return $q(z\,|\,x)$, one distribution for each example."""
        return self.encoder(x)

    def decode(self, z: Float[Tensor, "*b z"]) -> Distribution:
        r"""Return $p(x\,|\,z)$, one distribution for each ``z``."""
        return self.decoder(z)

    def terms(self, x: Float[Tensor, "b d"], num_samples: int = 1) -> Terms:
        r"""Estimate the two terms of the ELBO, differentiable in every parameter.

        Args:
            x: a batch of examples.
            num_samples: draws of ``z`` for each example, at least 1.

        Returns:
            :class:`Terms`: the first from ``num_samples`` reparameterised draws, the
            second in closed form.

        Raises:
            ValueError: ``num_samples`` below 1.
        """
        _at_least_one(num_samples)
        q = self.encode(x)
        z = q.rsample((num_samples,))  # (k, b, z)
        reconstruction = self.decode(z).log_prob(x).mean(0)
        # in closed form: less noise than log q - log p at the same z
        return Terms(reconstruction, kl_divergence(q, self.prior()))

    def log_weights(
        self, x: Float[Tensor, "b d"], num_samples: int
    ) -> Float[Tensor, "k b"]:
        r"""Draw $\log w=\log p(x\,|\,z)+\log p(z)-\log q(z\,|\,x)$, with ``z`` from q.

        Args:
            x: a batch of examples.
            num_samples: draws of ``z`` for each example, at least 1.

        Returns:
            Nats, sample axis first; feed it to :mod:`jensengap.bounds`.

        Raises:
            ValueError: ``num_samples`` below 1.
        """
        _at_least_one(num_samples)
        q = self.encode(x)
        z = q.rsample((num_samples,))  # (k, b, z)
        joint = self.decode(z).log_prob(x) + self.prior().log_prob(z)
        return joint - q.log_prob(z)

    def log_evidence(
        self, x: Float[Tensor, "b d"], num_samples: int, *, chunk: int = 1024
    ) -> Evidence:
        r"""Estimate $\log p(x)$ by importance sampling from the encoder, in pieces.

        The estimate of ``bounds.iwae(log_weights(x, num_samples))``, but for any number
        of samples and images: weights are summed as they come and never kept.

        Args:
            x: examples, as many as there are.
            num_samples: draws of ``z`` for each example, at least 1.
            chunk: draws decoded at a time. Memory beyond ``x`` and the result is about
                ``4 * chunk * d`` numbers (13 MB for digits in float32), however large
                ``num_samples`` and ``b`` are.

        Returns:
            :class:`Evidence`, no gradients.

        Raises:
            ValueError: no example, or ``num_samples`` or ``chunk`` below 1.

        Source: Burda, Grosse and Salakhutdinov (2016), eq. 8 with k = 5,000.
        """
        _at_least_one(num_samples)
        if chunk < 1 or len(x) < 1:
            raise ValueError(
                f"log_evidence needs an example and chunk >= 1, got {len(x)} examples "
                f"and chunk={chunk}"
            )
        # about chunk rows at once, be it many images or many draws
        num_images = max(1, chunk // num_samples)
        with torch.no_grad():
            pieces = [
                self._log_evidence(part, num_samples, max(1, chunk // len(part)))
                for part in x.split(num_images)
            ]
        return Evidence(*(torch.cat(each) for each in zip(*pieces, strict=True)))

    def _log_evidence(self, x: Tensor, num_samples: int, size: int) -> Evidence:
        """Accumulate log-sums of weights and their squares, ``size`` draws each."""
        log_sum = x.new_full((len(x),), -torch.inf, dtype=torch.float64)
        log_squares = log_sum
        for start in range(0, num_samples, size):
            # float64: the difference of two large logarithms is wanted below
            log_w = self.log_weights(x, min(size, num_samples - start)).double()
            log_sum = torch.logaddexp(log_sum, log_w.logsumexp(0))
            log_squares = torch.logaddexp(log_squares, (2 * log_w).logsumexp(0))
        # (sum w)^2 / sum w^2
        size = (2 * log_sum - log_squares).exp()
        return Evidence((log_sum - math.log(num_samples)).to(x.dtype), size.to(x.dtype))

    def sample(self, num_samples: int) -> Distribution:
        r"""Generate: draw ``z`` from the prior and return $p(x\,|\,z)$ for each.

        Its ``.mean`` is what papers usually show; its ``.sample()`` is what the
        model really generates.

        Args:
            num_samples: how many, at least 1.

        Raises:
            ValueError: ``num_samples`` below 1.
        """
        _at_least_one(num_samples)
        with torch.no_grad():
            return self.decode(self.prior().sample((num_samples,)))


def _at_least_one(num_samples: int) -> None:
    if num_samples < 1:
        raise ValueError(
            f"num_samples must be at least 1, got {num_samples}; "
            "the bound needs a z to be evaluated at"
        )
