r"""The variational autoencoder: its ELBO, log-weights, evidence and samples."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn
from torch.distributions import Distribution

from jensengap import divergences, gaussians, inputs, nets


class Terms(NamedTuple):
    r"""The two terms of the ELBO; both ``(b,)``, in nats per example.

    Attributes:
        reconstruction: $\mathbb E_q[\log p(x\,|\,z)]$, by sampling ``z``.
        kl_prior: $\mathrm{KL}(q(z\,|\,x)\,\|\,p(z))$, in closed form.

    Source: Kingma and Welling (2014), eq. 3.
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

    Source: Burda, Grosse and Salakhutdinov (2016), eq. 8; Kong (1992) for the ESS.
    """

    log_p: Float[Tensor, "b"]
    effective_sample_size: Float[Tensor, "b"]


class VAE(nn.Module):
    r"""Variational autoencoder, $p(z)\,p_\theta(x\,|\,z)$ and $q_\phi(z\,|\,x)$.

    Args:
        encoder: from ``x`` to the distribution $q(z\,|\,x)$, batch shape ``(b,)``; for
            several models side by side ``(*m, b)``, and so are all results.
        decoder: from ``z`` to the distribution $p(x\,|\,z)$, whose event is one
            example: a row, or an image with axes of its own.
        prior: a module that returns $p(z)$ when called, batch shape ``()``.

    Source: Kingma and Welling (2014); Rezende, Mohamed and Wierstra (2014).
    """

    def __init__(
        self, encoder: nets.Conditional, decoder: nets.Conditional, prior: nn.Module
    ) -> None:
        super().__init__()
        if not callable(prior):
            raise ValueError(
                "prior must be a module that returns p(z), got a "
                f"{type(prior).__name__}; see nets.StandardNormal"
            )
        self.encoder = encoder
        self.decoder = decoder
        self.prior = prior

    def encode(self, x: Shaped[Tensor, "b *d"]) -> Distribution:
        r"""Return $q(z\,|\,x)$, one distribution for each example."""
        return self.encoder(x)

    def decode(self, z: Float[Tensor, "*b z"]) -> Distribution:
        r"""Return $p(x\,|\,z)$, one distribution for each ``z``."""
        return self.decoder(z)

    @inputs.checked
    def terms(self, x: Shaped[Tensor, "b *d"], num_samples: int = 1) -> Terms:
        r"""Estimate the two terms of the ELBO, differentiable in every parameter.

        Args:
            x: a batch of examples.
            num_samples: draws of ``z`` for each example, at least 1.

        Returns:
            :class:`Terms`: the first from ``num_samples`` reparameterised draws, the
            second in closed form.

        Raises:
            ValueError: ``num_samples`` below 1, distributions whose batch or event
                shapes are not those of examples and latents, an encoder without
                ``rsample``, or one whose KL to the prior has no closed form.

        Source: Kingma and Welling (2014), eq. 7; appendix B for the KL of Gaussians.
        """
        q, z = self._draw(x, num_samples)
        reconstruction = self._likelihood(x, z).log_prob(x).mean(0)
        # in closed form: less noise than log q - log p at the same z
        return Terms(reconstruction, divergences.kl(q, self.prior()))

    @inputs.checked
    def log_weights(
        self, x: Shaped[Tensor, "b *d"], num_samples: int
    ) -> Float[Tensor, "k *b"]:
        r"""Draw $\log w=\log p(x\,|\,z)+\log p(z)-\log q(z\,|\,x)$, with ``z`` from q.

        Args:
            x: a batch of examples.
            num_samples: draws of ``z`` for each example, at least 1.

        Returns:
            Nats, sample axis first; feed it to :mod:`jensengap.bounds`.

        Raises:
            ValueError: as :meth:`terms`, but no closed form is needed.

        Source: Burda, Grosse and Salakhutdinov (2016), section 3; their mean is Kingma
        and Welling (2014), eq. 6.
        """
        q, z = self._draw(x, num_samples)
        joint = self._likelihood(x, z).log_prob(x)
        # a prior may end where q does not
        joint = joint + gaussians.log_prob(self.prior(), z)
        return joint - q.log_prob(z)

    def _draw(self, x: Tensor, num_samples: int) -> tuple[Distribution, Tensor]:
        """Draw from the encoder, sample axis first."""
        _at_least_one(num_samples)
        q = self._posterior(x)
        return q, q.rsample((num_samples,))  # (k, b, z)

    def _posterior(self, x: Tensor) -> Distribution:
        """Encode; refuse a q that is not one distribution of z for each example."""
        q = self.encode(x)
        if tuple(q.batch_shape[-1:]) != tuple(x.shape[:1]):
            raise ValueError(
                "the encoder must give one distribution for each example, batch shape "
                f"{tuple(x.shape[:1])}, got {gaussians.name(q)} of batch shape "
                f"{tuple(q.batch_shape)}; x[None] adds the axis to a single example, "
                "Independent(…, 1) makes coordinates one event"
            )
        if not q.has_rsample:
            raise ValueError(
                f"the encoder must be reparameterised, got {gaussians.name(q)}, which "
                "has no rsample; see gradients.score_function"
            )
        gaussians.same_events(q, self.prior())
        return q

    def _likelihood(self, x: Tensor, z: Tensor) -> Distribution:
        """Decode; refuse a likelihood of anything but one example."""
        p = self.decode(z)
        batch = z.shape[: z.dim() - len(self.prior().event_shape)]
        if tuple(p.event_shape) != tuple(x.shape[1:]) or p.batch_shape != batch:
            raise ValueError(
                f"the decoder must give distributions of one example, event shape "
                f"{tuple(x.shape[1:])}, got {gaussians.name(p)} of event shape "
                f"{tuple(p.event_shape)} and batch shape {tuple(p.batch_shape)}; wrap "
                "pixels in Independent, or give x the shape that the decoder has"
            )
        return p

    @inputs.checked
    def log_evidence(
        self, x: Shaped[Tensor, "b *d"], num_samples: int, *, chunk: int = 1024
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
            ValueError: as :meth:`log_weights`; ``chunk`` below 1; or an example whose
                weights are all zero.

        Source: Burda, Grosse and Salakhutdinov (2016), eq. 8; section 5.1 takes 5,000
        draws.
        """
        _at_least_one(num_samples)
        if chunk < 1:
            raise ValueError(
                f"log_evidence needs an example and chunk >= 1, got {len(x)} examples "
                f"and chunk={chunk}"
            )
        # about chunk rows at once, be it many images or many draws
        num_images = max(1, chunk // num_samples)
        with torch.no_grad():
            # one at first: a wrong shape is refused before the work, and by its name
            self._posterior(x if x.dim() < 2 else x[:1])
            sums = [
                self._log_sums(part, num_samples, max(1, chunk // len(part)))
                for part in x.split(num_images)
            ]
        # of tokens or labels in the dtype that the weights are in
        dtype = x.dtype if x.is_floating_point() else torch.get_default_dtype()
        return evidence(torch.cat(sums, -1), num_samples, dtype)

    def _log_sums(self, x: Tensor, num_samples: int, size: int) -> Tensor:
        """Accumulate log-sums of weights and of squares, ``size`` draws at a time."""
        # float64: the difference of two large logarithms is wanted in the end
        wide = inputs.widest(x)
        sums = torch.tensor(-torch.inf, dtype=wide, device=x.device)
        for start in range(0, num_samples, size):
            log_w = self.log_weights(x, min(size, num_samples - start)).to(wide)
            both = torch.stack([log_w.logsumexp(0), (2 * log_w).logsumexp(0)])
            sums = torch.logaddexp(sums, both)
        return sums

    @inputs.checked
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


@inputs.checked
def evidence(
    log_sums: Float[Tensor, "2 *b"], num_samples: int, dtype: torch.dtype
) -> Evidence:
    r"""Turn sums over all draws into :class:`Evidence`.

    Args:
        log_sums: $\log\sum_iw_i$ and $\log\sum_iw_i^2$ of each example.
        num_samples: how many draws were summed.
        dtype: of the result.

    Returns:
        The estimate, and $(\sum w)^2/\sum w^2$ beside it.

    Raises:
        ValueError: ``num_samples`` below 1, or an example whose weights are all zero,
            or not numbers.

    Source: Burda, Grosse and Salakhutdinov (2016), eq. 8; Kong (1992) for the ESS.
    """
    _at_least_one(num_samples)
    log_sum, log_squares = log_sums
    if not inputs.every(log_sum > -torch.inf):
        bad = (~(log_sum > -torch.inf)).nonzero()[:, -1].tolist()
        raise ValueError(
            f"every example needs a draw of positive weight, got none for {len(bad)} "
            f"of {log_sum.numel()} (the first are {bad[:5]}): p(x, z) is zero or not a "
            "number at every z that the encoder drew"
        )
    size = (2 * log_sum - log_squares).exp()
    return Evidence((log_sum - math.log(num_samples)).to(dtype), size.to(dtype))


def _at_least_one(num_samples: int) -> None:
    if num_samples < 1:
        raise ValueError(
            f"num_samples must be at least 1, got {num_samples}; "
            "the bound needs a z to be evaluated at"
        )
