r"""Loss and gradient of a Bernoulli VAE or IWAE in one pass, without autograd.

The same numbers as :meth:`jensengap.vae.VAE.terms` and
:meth:`~jensengap.vae.VAE.log_weights` under autograd, in less time: the chain rule is
written out, and no graph is kept. The gradient is that of
$-\frac1b\sum_j\sum_ic_{ij}\log w_{ij}$, where the weights $c$ are held constant: $1/k$
for the VAE, whose loss this is, and the normalised weights for the IWAE, whose loss is
$-\frac1b\sum_j\log\frac1k\sum_iw_{ij}$. With $z=\mu+\sigma\epsilon$,

$$\nabla_\ell=\tfrac{c}{b}\,(\sigma(\ell)-x),\qquad
\nabla_\mu=\sum_i\nabla_{z_i},\qquad
\nabla_\sigma=\sum_i\epsilon_i\nabla_{z_i}-\tfrac1{b\sigma}.$$

The IWAE's encoder may have the doubly reparameterised gradient instead. It has the
same mean and, where $q$ is the posterior, no variance: with $\nabla_{z_i}$ that of
$-\frac1b\log w_i$ alone, including
$\log q$ in its argument $z_i$ but not in $\mu$ and $\sigma$,

$$\nabla_\mu=\sum_ic_i^2\,\nabla_{z_i},\qquad
\nabla_\sigma=\sum_ic_i^2\,\epsilon_i\nabla_{z_i}.$$

Source: Kingma and Welling (2014), eq. 6, and 10 where the KL is in closed form; Burda,
Grosse and Salakhutdinov (2016), eq. 14; Tucker et al. (2019) for the doubly
reparameterised gradient.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import softplus

from jensengap import bernoulli_pixels, inputs, nets, vae
from jensengap.fast import perceptron

_ROWS = 256  # of 784 float32 numbers: 0.8 MB, which a core's own cache holds


class Value(NamedTuple):
    """Loss and bounds of a batch; nats an image, with a gradient on the first.

    Attributes:
        loss: what is minimised.
        elbo: the mean log-weight, or its form with the KL in closed form.
        iwae: the logarithm of the mean weight; the ELBO again where the KL is closed.
    """

    loss: Float[Tensor, ""]
    elbo: Float[Tensor, ""]
    iwae: Float[Tensor, ""]


class FusedVAE(nn.Module):
    r"""A Bernoulli VAE whose loss computes its own gradient.

    Its parameters are the model's own: any optimiser of torch may move them.

    Args:
        model: ``nets.mlp`` networks on either side, Gaussian encoder, Bernoulli
            decoder, standard normal prior. It is trained in place.

    Raises:
        ValueError: a VAE of another kind.

    Source: Kingma and Welling (2014), eqs. 6 and 10; Burda, Grosse and Salakhutdinov
    (2016), eq. 14; Tucker et al. (2019).
    """

    def __init__(self, model: vae.VAE) -> None:
        super().__init__()
        verify(model)
        self.model = model
        self._share()

    def _share(self) -> None:
        """Take the memory of the parameters as it is now."""
        self._encoder = perceptron.MLP(self.model.encoder.net)
        self._decoder = perceptron.MLP(self.model.decoder.net)

    def __reduce__(self) -> tuple[Any, ...]:
        # from its model: what shares memory with it would come back as a copy
        return FusedVAE, (self.model,)

    @inputs.checked
    def forward(
        self,
        x: Float[Tensor, "b d"],
        noise: Float[Tensor, "k b z"],
        *,
        objective: str = "vae",
        closed_kl: bool = False,
        doubly: bool = False,
        grey_targets: bool = False,
    ) -> Value:
        r"""Return minus the bound of a batch, ready for ``backward``.

        Args:
            x: images, black and white.
            noise: $\epsilon$, standard normal.
            objective: ``"vae"`` averages the log-weights, ``"iwae"`` the weights.
            closed_kl: take the KL to the prior in closed form, not from the samples;
                for ``"vae"`` only.
            doubly: give the encoder the doubly reparameterised gradient; for
                ``"iwae"`` only.
            grey_targets: take grey images too, as targets of a cross-entropy. What
                comes out is then no bound of a likelihood.

        Raises:
            ValueError: an unknown objective, a closed KL for the IWAE, ``doubly`` for
                the VAE, grey pixels, or another shape, dtype or device than the
                model's.
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
        self._takes(x, noise, grey_targets=grey_targets)
        parameters = list(self.model.parameters())
        gradients = perceptron.together(parameters)
        with torch.no_grad():
            elbo, iwae = self._pass(
                x, noise, gradients, objective, closed_kl=closed_kl, doubly=doubly
            )
        bound = elbo if objective == "vae" else iwae
        return Value(_Loss.apply(bound, gradients, *parameters), elbo, iwae)

    def _takes(self, x: Tensor, noise: Tensor, *, grey_targets: bool) -> None:
        """Refuse what the model's own methods would refuse."""
        if self._encoder.is_stale(self.model.encoder.net) or self._decoder.is_stale(
            self.model.decoder.net
        ):
            # another device or dtype: the parameters have other memory now
            self._share()
        takes(self.model, x)
        if not grey_targets:
            bernoulli_pixels.binary("x", x)
        latent_dim = len(self.model.prior.loc)
        if noise.shape[1:] != (len(x), latent_dim):
            raise ValueError(
                f"noise must have the shape (k, b, z) with b = {len(x)} and z = "
                f"{latent_dim}, got {tuple(noise.shape)}"
            )
        inputs.alike("noise", noise, x)

    def _pass(
        self,
        x: Tensor,
        noise: Tensor,
        into: list[Tensor],
        objective: str,
        *,
        closed_kl: bool,
        doubly: bool,
    ) -> tuple[Tensor, Tensor]:
        """Write the gradients of the loss; return both bounds."""
        k, b, latent_dim = noise.shape
        noise = noise.contiguous()  # what comes of it is seen as one block
        num_encoder = 2 * len(self._encoder.weights)
        encoded = self._encoder.forward(x)
        # two blocks of their own: vector units want neighbours
        loc, raw = encoded[-1].view(b, 2, latent_dim).transpose(0, 1).contiguous()
        scale = softplus(raw).add_(nets.SCALE_FLOOR)
        z = torch.addcmul(loc, scale, noise)
        decoded = self._decoder.forward(z.view(k * b, latent_dim))
        logits = decoded[-1].view(k, b, -1)
        log_lik = log_likelihood(logits, x)
        if closed_kl:
            elbo = iwae = _elbo_closed_kl(log_lik, loc, scale)
            c: Tensor | float = 1 / (k * b)
        else:
            elbo, iwae, c = _weigh(log_lik, z, noise, scale, objective)
        # in place: the logits are the largest tensor, and not needed again
        slope = torch.sigmoid_(logits).sub_(x)
        slope *= c
        slope = self._decoder.backward(
            decoded, slope.view(k * b, -1), into[num_encoder:], to_input=True
        ).view_as(z)
        if closed_kl:
            # the KL's own slopes, (mu and sigma) / b, do not pass through z
            to_loc = torch.add(slope.sum(0), loc, alpha=1 / b)
            to_scale = torch.add((slope * noise).sum(0), scale, alpha=1 / b)
        else:
            slope += z * c  # of -log p(z)
            if doubly:
                # of log q in its argument only, then c once more: c^2 in all
                slope.sub_(c * noise / scale).mul_(b * c)
            to_loc, to_scale = slope.sum(0), (slope * noise).sum(0)
        if not doubly:
            # of the entropy, log sigma; the other gradient has none in sigma
            to_scale.sub_(scale.reciprocal(), alpha=1 / b)
        to_raw = to_scale.mul_(raw.sigmoid())  # the derivative of softplus
        self._encoder.backward(
            encoded, torch.cat([to_loc, to_raw], 1), into[:num_encoder], to_input=False
        )
        return elbo, iwae


def _elbo_closed_kl(log_lik: Tensor, loc: Tensor, scale: Tensor) -> Tensor:
    """Return the batch mean of the ELBO, its KL to the prior in closed form."""
    b, latent_dim = loc.shape
    kl = loc.square().add_(scale.square()).sum() / 2 - scale.log().sum()
    return log_lik.mean() - kl / b + latent_dim / 2


def _weigh(
    log_lik: Tensor, z: Tensor, noise: Tensor, scale: Tensor, objective: str
) -> tuple[Tensor, Tensor, Tensor | float]:
    """Return both bounds, and the weight c / b of each sample in the loss."""
    k, b = log_lik.shape
    # log p(z) - log q(z): the constants of the two normal densities cancel
    log_w = log_lik.add_((noise.square() - z.square()).sum(2) / 2 + scale.log().sum(1))
    elbo, iwae = log_w.mean(), log_w.logsumexp(0).mean() - math.log(k)
    if objective == "vae":
        return elbo, iwae, 1 / (k * b)
    # softmax: the normalised weights; a last axis, to multiply logits and z
    return elbo, iwae, (log_w.softmax(0) / b)[..., None]


class _Loss(torch.autograd.Function):
    """Autograd function of a bound whose gradients are known, and handed out once."""

    @staticmethod
    def forward(
        ctx: Any, bound: Tensor, held: list[Tensor], *parameters: Tensor
    ) -> Tensor:
        ctx.held = held
        return -bound

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> tuple[Any, ...]:
        if not ctx.held:
            raise RuntimeError(
                "backward was called twice on one loss of a FusedVAE, which keeps no "
                "graph; call it once, or use autograd with the model itself"
            )
        # nobody else holds them, so that autograd need not copy them
        gradients = tuple(ctx.held)
        ctx.held.clear()
        # a GPU would have to be waited for, to learn that the slope is 1
        if slope.is_cuda or float(slope) != 1:
            for each in gradients:
                each.mul_(slope)
        return None, None, *gradients


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


@inputs.checked
def takes(model: vae.VAE, x: Float[Tensor, "b d"]) -> None:
    """Refuse images of another size, dtype or device than a perceptron wants.

    Args:
        model: see :func:`verify`.
        x: images, one a row.

    Raises:
        ValueError: they do not fit; says what was wanted.
    """
    weight = model.encoder.net[0].weight
    if x.shape[1] != weight.shape[1]:
        raise ValueError(
            f"x must have {weight.shape[1]} pixels, as the encoder takes, got "
            f"{x.shape[1]}"
        )
    inputs.alike("x", x, weight)


@inputs.checked
def log_normaliser(logits: Float[Tensor, "n d"]) -> Float[Tensor, "n"]:
    r"""Compute $\sum_j\log(1+e^{\ell_j})$, in nats.

    Taken as it stands, in pieces that a cache holds: half the time of ``softplus``. A
    pixel's error is that of one rounding of $1+e^\ell$. Where $e^\ell$ overflows,
    ``softplus`` it is.

    Args:
        logits: log-odds of each pixel; left as they are.

    Source: Kingma and Welling (2014), eq. 11, by log-odds.
    """
    # what is written in place has no gradient
    if logits.is_cuda or (logits.requires_grad and torch.is_grad_enabled()):
        return softplus(logits).sum(1)
    pieces = logits.split(_ROWS)
    scratch = torch.empty_like(pieces[0])
    sums = [
        torch.exp(piece, out=scratch[: len(piece)]).add_(1).log_().sum(1)
        for piece in pieces
    ]
    total = torch.cat(sums) if len(sums) > 1 else sums[0]
    return total if math.isfinite(total.sum()) else softplus(logits).sum(1)


@inputs.checked
def log_likelihood(
    logits: Float[Tensor, "k b d"], x: Float[Tensor, "b d"]
) -> Float[Tensor, "k b"]:
    r"""Compute $\sum_jx_j\ell_j-\log(1+e^{\ell_j})$, in nats.

    The fast twin of ``nets.bernoulli(logits).log_prob(x)``: each sample has its
    logits, where :func:`jensengap.nets.bernoulli_log_probs` pairs all with all. Where
    both terms are so large that their difference is lost, it is computed without one.

    Args:
        logits: log-odds of each pixel, for each of ``k`` samples; left as they are.
        x: targets in [0, 1].

    Source: Kingma and Welling (2014), eq. 11, by log-odds.
    """
    # a sample at a time: its logits are still in the cache when they are needed again
    offs = [log_normaliser(part) for part in logits]
    if bernoulli_pixels.keeps_digits(torch.stack(offs)):
        parts = [(p * x).sum(1) - off for p, off in zip(logits, offs, strict=True)]
        log_lik = torch.stack(parts)
        # where a pixel is certainly off, 0 times -infinity is no number
        if inputs.every(~log_lik.isnan()):
            return log_lik
    return torch.stack([_without_difference(part, x) for part in logits])


def _without_difference(logits: Tensor, x: Tensor) -> Tensor:
    """Sum terms of one sign; a certain pixel that is as it must be counts nothing."""
    wrong = torch.where(x > 0, x * (-logits).clamp(min=0), 0.0)
    wrong = wrong + torch.where(x < 1, (1 - x) * logits.clamp(min=0), 0.0)
    return -(wrong + torch.log1p((-logits.abs()).exp())).sum(1)
