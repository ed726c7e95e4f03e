r"""Importance sampling of $\log p(x)$ for Bernoulli VAEs, many images a second.

The estimate of :meth:`jensengap.vae.VAE.log_evidence`. An image enters only after the
last matrix product, as $\ell^\top x=a^\top(W^\top x)+b^\top x$ for $\ell=Wa+b$: one
number for each draw, and of its logits nothing else is needed but one sum.

Source: Burda, Grosse and Salakhutdinov (2016), eq. 8.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

from jensengap import vae
from jensengap.fast import bernoulli_vae, perceptron


@torch.no_grad()
def log_evidence(
    model: vae.VAE, x: Float[Tensor, "b d"], num_samples: int, *, chunk: int = 1024
) -> vae.Evidence:
    r"""Estimate $\log p(x)$ of each image by $\log\frac1k\sum_i w_i$.

    Args:
        model: as for :class:`jensengap.fast.bernoulli_vae.FusedVAE`; left as it is.
        x: images, as many as there are.
        num_samples: draws of ``z`` for each, $k$.
        chunk: draws decoded at a time; memory is about ``chunk * d`` numbers.

    Returns:
        :class:`jensengap.vae.Evidence`.

    Raises:
        ValueError: no image, ``num_samples`` or ``chunk`` below 1, or a VAE of another
            kind.
    """
    if min(len(x), num_samples, chunk) < 1:
        raise ValueError(
            "log_evidence needs an image, num_samples and chunk of at least 1, got "
            f"{len(x)}, {num_samples} and {chunk}"
        )
    bernoulli_vae.verify(model)
    decoder = perceptron.MLP(model.decoder.net)
    results = []
    for part in x.split(max(1, chunk // num_samples)):
        q = model.encode(part).base_dist
        # an image's share of the last product, once for all of its draws
        to_image, offset = part @ decoder.weights[-1], part @ decoder.biases[-1]
        sums = None
        for start in range(0, num_samples, max(1, chunk // len(part))):
            size = min(max(1, chunk // len(part)), num_samples - start)
            noise = torch.randn(size, *q.loc.shape, dtype=x.dtype, device=x.device)
            z = torch.addcmul(q.loc, q.scale, noise)
            # of the logits only the normaliser is used: x enters by the hidden layer
            *_, hidden, logits = decoder.forward(z.flatten(0, 1))
            on = (hidden.view(size, len(part), -1) * to_image).sum(2) + offset
            off = bernoulli_vae.log_normaliser(logits).view_as(on)
            # log p(z) - log q(z) without log sigma: the constants cancel
            prior_over_q = (noise.square() - z.square()).sum(2) / 2
            # float64: both sums run over all draws, and their difference is wanted
            log_w = (on - off + prior_over_q).double()
            # of weights and of their squares, for the effective sample size
            both = torch.stack([log_w.logsumexp(0), (2 * log_w).logsumexp(0)])
            sums = both if sums is None else torch.logaddexp(sums, both)
        # log sigma is the same in all draws, so it is added once, at the end
        log_p = sums[0] - math.log(num_samples) + q.scale.log().sum(1).double()
        results.append(torch.stack([log_p, (2 * sums[0] - sums[1]).exp()]))
    return vae.Evidence(*torch.cat(results, 1).to(x.dtype))
