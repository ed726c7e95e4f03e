r"""A Bernoulli VAE's loss with its gradient in one pass, for long trainings.

The same numbers as :meth:`jensengap.vae.VAE.terms` and
:meth:`~jensengap.vae.VAE.log_weights` under autograd, in less time: the chain rule is
written out, and all parameters lie in one vector. For the loss
$-\frac1b\sum_j\sum_ic_{ij}\log w_{ij}$ with $c=1/k$ (VAE) or the normalised weights
(IWAE), and $z=\mu+\sigma\epsilon$,

$$\nabla_\ell=\tfrac{c}{b}\,(\sigma(\ell)-x),\qquad
\nabla_\mu=\sum_i\nabla_{z_i},\qquad
\nabla_\sigma=\sum_i\epsilon_i\nabla_{z_i}-\tfrac1{b\sigma}.$$

The IWAE's encoder may have the doubly reparameterised gradient instead. It has the
same mean and, where $q$ is the posterior, no variance: with $\nabla_{z_i}$ that of
$-\frac1b\log w_i$ alone, including
$\log q$ in its argument $z_i$ but not in $\mu$ and $\sigma$,

$$\nabla_\mu=\sum_ic_i^2\,\nabla_{z_i},\qquad
\nabla_\sigma=\sum_ic_i^2\,\epsilon_i\nabla_{z_i}.$$

Source: Kingma and Welling (2014); Burda, Grosse and Salakhutdinov (2016), eq. 13;
Tucker et al. (2019), eq. 8, https://arxiv.org/abs/1810.04152.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import softplus

from jensengap import nets, vae
from jensengap.fast import bernoulli_vae, perceptron


class Value(NamedTuple):
    """What a batch gives; numbers in nats an image, with a gradient on the first.

    Attributes:
        loss: what is minimised.
        elbo: the mean log-weight, or its form with the KL in closed form.
        iwae: the logarithm of the mean weight; the ELBO again where the KL is closed.
    """

    loss: Float[Tensor, ""]
    elbo: Float[Tensor, ""]
    iwae: Float[Tensor, ""]


class FusedVAE(nn.Module):
    r"""A VAE whose loss brings its gradient along.

    Args:
        model: ``nets.mlp`` networks on either side, Gaussian encoder, Bernoulli
            decoder, standard normal prior. Its parameters become views of
            :attr:`vector` and are trained with it; move it to its device before.

    Attributes:
        vector: all parameters, for the optimiser.
        parts: the same numbers, each parameter in its shape.

    Raises:
        ValueError: a VAE of another kind.
    """

    def __init__(self, model: vae.VAE) -> None:
        super().__init__()
        verify(model)
        both = [*model.encoder.net.parameters(), *model.decoder.net.parameters()]
        self.vector = perceptron.flatten(both)
        # after that: they hold views of the vector
        self._encoder = perceptron.MLP(model.encoder.net)
        self._decoder = perceptron.MLP(model.decoder.net)
        self.parts = [each.detach() for each in both]

    def forward(
        self,
        x: Float[Tensor, "b d"],
        noise: Float[Tensor, "k b z"],
        *,
        objective: str = "vae",
        closed_kl: bool = False,
        doubly: bool = False,
    ) -> Value:
        r"""Return minus the bound of a batch, ready for ``backward``.

        Args:
            x: images, black and white, or grey as targets of the cross-entropy.
            noise: $\epsilon$, standard normal.
            objective: ``"vae"`` averages the log-weights, ``"iwae"`` the weights.
            closed_kl: take the KL to the prior in closed form, not from the samples;
                for ``"vae"`` only.
            doubly: give the encoder the doubly reparameterised gradient; for
                ``"iwae"`` only.

        Raises:
            ValueError: an unknown objective, a closed KL for the IWAE, or ``doubly``
                for the VAE.
        """
        if objective not in ("vae", "iwae") or (closed_kl and objective != "vae"):
            raise ValueError(
                "objective must be vae, with or without closed_kl, or iwae without, "
                f"got {objective!r} and closed_kl={closed_kl}"
            )
        if doubly and objective != "iwae":
            raise ValueError(
                f"doubly is a gradient of the iwae's, got objective {objective!r}; "
                "leave it out, or take the iwae"
            )
        gradient = torch.empty_like(self.vector)
        kind = objective + ("-closed" if closed_kl else "-doubly" if doubly else "")
        with torch.no_grad():
            elbo, iwae = self._pass(x, noise, kind, gradient)
        bound = elbo if objective == "vae" else iwae
        return Value(_Loss.apply(self.vector, bound, [gradient]), elbo, iwae)

    def _pass(
        self, x: Tensor, noise: Tensor, kind: str, grad: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Write the gradient of the loss; return both bounds."""
        objective, _, form = kind.partition("-")
        k, b, latent_dim = noise.shape
        num_encoder = 2 * len(self._encoder.weights)
        into = perceptron.parts(grad, self.parts)
        seen = self._encoder.forward(x)
        # two blocks of their own: vector units want neighbours
        loc, raw = seen[-1].view(b, 2, latent_dim).transpose(0, 1).contiguous()
        scale = softplus(raw).add_(nets.SCALE_FLOOR)
        z = torch.addcmul(loc, scale, noise)
        made = self._decoder.forward(z.view(k * b, latent_dim))
        logits = made[-1].view(k, b, -1)
        log_w = bernoulli_vae.log_likelihood(logits, x)
        if form == "closed":
            kl = loc.square().add_(scale.square()).sum() / 2 - scale.log().sum()
            elbo = log_w.mean() - kl / b + latent_dim / 2
            weights, iwae = 1 / (k * b), elbo
        else:
            log_w += (noise.square() - z.square()).sum(2) / 2 + scale.log().sum(1)
            elbo, iwae = log_w.mean(), log_w.logsumexp(0).mean() - math.log(k)
            weights = 1 / (k * b) if objective == "vae" else log_w.softmax(0) / b
        slope = torch.sigmoid_(logits).sub_(x)
        slope *= weights if objective == "vae" else weights[..., None]
        slope = self._decoder.backward(
            made, slope.view(k * b, -1), into[num_encoder:], to_input=True
        ).view_as(z)
        if form == "closed":
            to_loc = torch.add(slope.sum(0), loc, alpha=1 / b)
            to_scale = torch.add((slope * noise).sum(0), scale, alpha=1 / b)
        else:
            w = weights if objective == "vae" else weights[..., None]
            slope += z * w
            if form == "doubly":
                slope.sub_(w * noise / scale).mul_(b * w)
            to_loc, to_scale = slope.sum(0), (slope * noise).sum(0)
        if form != "doubly":
            to_scale.sub_(scale.reciprocal(), alpha=1 / b)
        to_raw = to_scale.mul_(raw.sigmoid())
        self._encoder.backward(
            seen, torch.cat([to_loc, to_raw], 1), into[:num_encoder], to_input=False
        )
        return elbo, iwae


class _Loss(torch.autograd.Function):
    """Minus a bound whose gradient is known, and is handed out once."""

    @staticmethod
    def forward(ctx: Any, vector: Tensor, bound: Tensor, held: list[Tensor]) -> Any:
        ctx.held = held
        return -bound

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> Any:
        if not ctx.held:
            raise RuntimeError(
                "backward was called twice on one loss of a FusedVAE, which keeps no "
                "graph; call it once, or use autograd with the model itself"
            )
        # nobody else holds it, so that autograd need not copy it
        gradient = ctx.held.pop()
        # a GPU would have to be waited for, to learn that the slope is 1
        if slope.is_cuda or float(slope) != 1:
            gradient.mul_(slope)
        return gradient, None, None


def verify(model: vae.VAE) -> None:
    """Refuse a VAE whose chain rule is not written out here.

    Args:
        model: any VAE.

    Raises:
        ValueError: other heads, another prior, or networks that are no perceptrons.
    """
    if (
        model.encoder.head is not nets.gaussian_head
        or model.decoder.head is not nets.bernoulli
        or not isinstance(model.prior, nets.StandardNormal)
    ):
        raise ValueError(
            "wanted a VAE of nets.gaussian_head, nets.bernoulli and "
            f"nets.StandardNormal, got {model.encoder.head}, {model.decoder.head} and "
            f"{type(model.prior).__name__}; VAE's own methods take any other"
        )
    for net in (model.encoder.net, model.decoder.net):
        perceptron.MLP(net)
