r"""Importance sampling of $\log p(x)$ for Bernoulli VAEs, many images a second.

The estimate of :meth:`jensengap.vae.VAE.log_evidence`. An image enters only after the
last matrix product, as $\ell^\top x=a^\top(W^\top x)+b^\top x$ for $\ell=Wa+b$: one
number for each draw, and of its logits nothing else is needed but one sum.

Source: Burda, Grosse and Salakhutdinov (2016), eq. 8.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Normal

from jensengap import bernoulli_pixels, inputs, vae
from jensengap.fast import bernoulli_vae, perceptron


@inputs.checked
@torch.no_grad()
def log_evidence(
    model: vae.VAE, x: Float[Tensor, "b d"], num_samples: int, *, chunk: int = 1024
) -> vae.Evidence:
    r"""Estimate $\log p(x)$ of each image by $\log\frac1k\sum_i w_i$.

    Args:
        model: as for :class:`jensengap.fast.bernoulli_vae.FusedVAE`; left as it is.
        x: images, black and white, as many as there are.
        num_samples: draws of ``z`` for each, $k$.
        chunk: draws decoded at a time; memory is about ``chunk * d`` numbers.

    Returns:
        :class:`jensengap.vae.Evidence`.

    Raises:
        ValueError: no image, ``num_samples`` or ``chunk`` below 1, grey pixels, another
            shape, dtype or device than the model's, an image without a draw of positive
            weight, or a VAE of another kind.

    Source: Burda, Grosse and Salakhutdinov (2016), eq. 8.
    """
    if min(num_samples, chunk) < 1:
        raise ValueError(
            "log_evidence needs an image, num_samples and chunk of at least 1, got "
            f"{len(x)}, {num_samples} and {chunk}"
        )
    bernoulli_vae.verify(model)
    bernoulli_vae.takes(model, x)
    bernoulli_pixels.binary("x", x)
    decoder = perceptron.MLP(model.decoder.net)
    sums = [
        _log_sums(model, decoder, part, num_samples, max(1, chunk // len(part)))
        for part in x.split(max(1, chunk // num_samples))
    ]
    return vae.evidence(torch.cat(sums, 1), num_samples, x.dtype)


def _log_sums(
    model: vae.VAE, decoder: perceptron.MLP, x: Tensor, num_samples: int, size: int
) -> Tensor:
    """Accumulate log-sums of weights and of squares, ``size`` draws at a time."""
    wide = inputs.widest(x)
    q: Normal = model.encode(x).base_dist
    # an image's share of the last product, once for all of its draws
    to_image, offset = x @ decoder.weights[-1], x @ decoder.biases[-1]
    sums = x.new_full((2, len(x)), -torch.inf, dtype=wide)
    for start in range(0, num_samples, size):
        shape = min(size, num_samples - start), *q.loc.shape
        noise = torch.randn(shape, dtype=x.dtype, device=x.device)
        z = torch.addcmul(q.loc, q.scale, noise)
        # of the logits only the normaliser is used: x enters by the hidden layer
        *_, hidden, logits = decoder.forward(z.flatten(0, 1))
        off = bernoulli_vae.log_normaliser(logits).view(shape[:2])
        log_lik = (hidden.view(*shape[:2], -1) * to_image).sum(2) + offset - off
        if not bernoulli_pixels.keeps_digits(off) or log_lik.isnan().any():
            log_lik = bernoulli_vae.log_likelihood(logits.view(*shape[:2], -1), x)
        # log p(z) - log q(z) without log sigma: the constants cancel
        prior_over_q = (noise.square() - z.square()).sum(2) / 2
        # float64: both sums run over all draws, and their difference is wanted
        log_w = (log_lik + prior_over_q).to(wide)
        # of weights and of their squares, for the effective sample size
        both = torch.stack([log_w.logsumexp(0), (2 * log_w).logsumexp(0)])
        sums = torch.logaddexp(sums, both)
    # log sigma is the same in all draws, so it is added once, at the end
    log_scale = q.scale.log().sum(1).to(wide)
    return sums + torch.stack([log_scale, 2 * log_scale])
