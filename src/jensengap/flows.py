r"""Normalising flows as posteriors: invertible maps with known log-determinants.

A flow draws $u\sim\mathcal N(0,I)$ and returns $z=f(u)$. Where $f$ is invertible,

$$\log q(z)=\log\mathcal N(u;0,I)-\log\Bigl|\det\frac{\partial f}{\partial u}\Bigr| .$$

Each of $b$ examples has a flow of its own; all are evaluated at once.

Source: Rezende and Mohamed (2015).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from jensengap import inputs

# No coupling scales a coordinate by more than this number's exponential: a map that is
# steeper than the rule that integrates it is fine cannot be checked. The shifts are not
# bounded, so the whole map may stretch a direction by more.
LARGEST_LOG_SCALE = 1.0


class Mapped(NamedTuple):
    r"""Points after a map, and the log of its Jacobian's absolute determinant.

    Attributes:
        value: the points, ``(k, b, d)``.
        log_det: $\log|\det|$ of the map's derivative at each of them, ``(k, b)``.
    """

    value: Float[Tensor, "k b d"]
    log_det: Float[Tensor, "k b"]


class Drawn(NamedTuple):
    r"""Samples and their log-density, to be used as ``log_joint(z) - log_q``.

    Attributes:
        z: ``(k, b, d)``, differentiable in the flow's parameters.
        log_q: nats, ``(k, b)``.
    """

    z: Float[Tensor, "k b d"]
    log_q: Float[Tensor, "k b"]


class Coupling(nn.Module):
    r"""Affine coupling layer: one half of $u$ scales and shifts the other half.

    $(u_1,u_2)\mapsto(u_1,\ u_2\odot e^{s(u_1)}+t(u_1))$, then both trade places.
    One half moves by what a small network makes of the other half, which stays: so
    the inverse needs no network's inverse, and the determinant is $e^{\sum s}$, up to
    the sign that the exchange brings. It begins as the mere exchange of the halves.

    Args:
        num_examples: $b$, each with its own network.
        latent_dim: $d$, at least 2.
        hidden_dim: hidden units.

    Raises:
        ValueError: fewer than two dimensions, or a size below 1.

    Source: Dinh, Sohl-Dickstein and Bengio (2017), eqs. 4 and 5, and 8 for the inverse;
    sections 3.3 and 3.5 for determinant and exchange. Their scale (section 4.1) is
    bounded by a tanh as well, times a learned number.
    """

    @inputs.checked
    def __init__(self, num_examples: int, latent_dim: int, hidden_dim: int) -> None:
        super().__init__()
        if latent_dim < 2 or min(num_examples, hidden_dim) < 1:
            raise ValueError(
                "a coupling needs latent_dim >= 2, an example and a hidden unit, got "
                f"{latent_dim}, {num_examples} and {hidden_dim}"
            )
        self.kept = latent_dim // 2
        moved = latent_dim - self.kept
        self.first = nn.Parameter(torch.randn(num_examples, self.kept, hidden_dim))
        self.bias = nn.Parameter(torch.randn(num_examples, hidden_dim))
        # zero, so that training starts at the mere exchange of the halves
        self.last = nn.Parameter(torch.zeros(num_examples, hidden_dim, 2 * moved))

    @inputs.checked
    def forward(self, u: Float[Tensor, "k b d"]) -> Mapped:
        r"""Map forwards; return the log-determinant, $\sum s(u_1)$, as well."""
        self._takes("u", u)
        u_1, u_2 = u[..., : self.kept], u[..., self.kept :]
        log_scale, shift = self._of(u_1)
        moved = u_2 * log_scale.exp() + shift
        # moved half first: the next coupling moves the other one
        return Mapped(torch.cat([moved, u_1], -1), log_scale.sum(-1))

    @inputs.checked
    def inverse(self, v: Float[Tensor, "k b d"]) -> Mapped:
        """Undo :meth:`forward`; ``log_det`` is that of the way back."""
        self._takes("v", v)
        moved, u_1 = v[..., : -self.kept], v[..., -self.kept :]
        log_scale, shift = self._of(u_1)
        u_2 = (moved - shift) * (-log_scale).exp()
        return Mapped(torch.cat([u_1, u_2], -1), -log_scale.sum(-1))

    def _takes(self, name: str, points: Tensor) -> None:
        num, dim = len(self.first), self.kept + self.last.shape[-1] // 2
        _of_shape(name, points, (num, dim), self.first)

    def _of(self, u_1: Tensor) -> tuple[Tensor, Tensor]:
        """Compute log-scale and shift of the moving half from the half that stays."""
        # one product for each example: (b, k, kept) @ (b, kept, h)
        hidden = torch.baddbmm(self.bias[:, None], u_1.movedim(1, 0), self.first)
        numbers = (hidden.tanh() @ self.last).movedim(0, 1)
        log_scale, shift = numbers.chunk(2, -1)
        # tanh bounds the scale smoothly, with slope 1 where it starts
        return LARGEST_LOG_SCALE * (log_scale / LARGEST_LOG_SCALE).tanh(), shift


class Flow(nn.Module):
    r"""Normalising flow, one an example: couplings, then $z=\mu+L\,u$, $L$ triangular.

    Without couplings it is a Gaussian, with full covariance or (``tilted=False``) with
    independent coordinates.

    Args:
        loc: where the means $\mu$ start, ``(b, d)``.
        scale: where the diagonal of $L$ starts, ``(b, d)``, positive.
        num_couplings: how many layers bend it.
        hidden_dim: hidden units in each.
        tilted: whether $L$ has entries below its diagonal.

    Raises:
        ValueError: a mean that is not finite, a scale that is not positive and finite,
            or another shape; points of another shape in each method.

    Source: Rezende and Mohamed (2015); the layers are those of Dinh et al. (2017).
    """

    @inputs.checked
    def __init__(
        self,
        loc: Float[Tensor, "b d"],
        scale: Float[Tensor, "b d"],
        *,
        num_couplings: int = 0,
        hidden_dim: int = 8,
        tilted: bool = True,
    ) -> None:
        super().__init__()
        inputs.alike("scale", scale, loc)
        inputs.finite("loc", loc)
        if not inputs.every((scale > 0) & scale.isfinite()):
            raise ValueError(
                f"loc and scale must have one shape and scale must be positive and "
                f"finite, got {tuple(loc.shape)} and {tuple(scale.shape)} with a "
                f"smallest scale of {scale.min().item():g}"
            )
        if num_couplings < 0:
            raise ValueError(f"num_couplings must be 0 or more, got {num_couplings}")
        num, dim = loc.shape
        self.loc = nn.Parameter(loc.clone())
        self.log_scale = nn.Parameter(scale.log())
        # there even where it is not learned, as zeros: one formula for both
        self.tilt = nn.Parameter(loc.new_zeros(num, dim, dim), requires_grad=tilted)
        layers = (Coupling(num, dim, hidden_dim) for _ in range(num_couplings))
        self.couplings = nn.ModuleList(layers).to(loc)

    @inputs.checked
    def forward(self, u: Float[Tensor, "k b d"]) -> Mapped:
        """Map noise to latent points."""
        _of_shape("u", u, tuple(self.loc.shape), self.loc)
        # of the triangular map: the logarithm of the product of its diagonal
        log_det = self.log_scale.sum(-1).expand(u.shape[:-1])
        for coupling in self.couplings:
            u, change = coupling(u)
            log_det = log_det + change
        moved = (self._triangle() @ u[..., None])[..., 0]
        return Mapped(self.loc + moved, log_det)

    @inputs.checked
    def inverse(self, z: Float[Tensor, "k b d"]) -> Mapped:
        """Map latent points back to noise; ``log_det`` is that of the way back."""
        _of_shape("z", z, tuple(self.loc.shape), self.loc)
        log_det = -self.log_scale.sum(-1).expand(z.shape[:-1])
        # d by d and the same for all k points of an example, so inverted once
        inverse = torch.linalg.inv(self._triangle())
        u = (inverse @ (z - self.loc)[..., None])[..., 0]
        for coupling in reversed(self.couplings):
            u, change = coupling.inverse(u)
            log_det = log_det + change
        return Mapped(u, log_det)

    @inputs.checked
    def log_prob(self, z: Float[Tensor, "k b d"]) -> Float[Tensor, "k b"]:
        r"""Return $\log q(z)$ in nats, by the inverse."""
        u, log_det = self.inverse(z)
        return _log_standard(u) + log_det

    @inputs.checked
    def rsample(self, num_samples: int) -> Drawn:
        r"""Draw reparameterised samples with $\log q$, without inverting anything.

        Args:
            num_samples: draws for each example, at least 1.

        Raises:
            ValueError: ``num_samples`` below 1.
        """
        if num_samples < 1:
            raise ValueError(f"num_samples must be at least 1, got {num_samples}")
        # drawn in torch's default dtype: a float64 flow gets the same noise
        u = torch.randn(num_samples, *self.loc.shape).to(self.loc)
        z, log_det = self(u)
        return Drawn(z, _log_standard(u) - log_det)

    def _triangle(self) -> Tensor:
        """Return $L$; its diagonal is positive, so it can be inverted."""
        return torch.diag_embed(self.log_scale.exp()) + self.tilt.tril(-1)


def _of_shape(name: str, points: Tensor, shape: tuple[int, ...], like: Tensor) -> None:
    """Refuse points of other examples or dimensions than a flow's own."""
    if points.dim() != 3 or tuple(points.shape[1:]) != shape or not len(points):
        raise ValueError(
            f"{name} must have the shape (k, b, d) with (b, d) = {shape}, got "
            f"{tuple(points.shape)}; each of the b examples has a flow of its own"
        )
    inputs.alike(name, points, like)


def _log_standard(u: Tensor) -> Tensor:
    """Compute the log-density of a standard normal, summed over coordinates."""
    return -0.5 * u.square().sum(-1) - 0.5 * u.shape[-1] * math.log(2 * math.pi)
