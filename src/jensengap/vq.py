r"""Vector quantisation (VQ-VAE): nearest code, straight-through gradient, losses.

An encoder's output $z_e$ is replaced by the nearest of $K$ vectors $e_1,\dots,e_K$. As
a posterior it is deterministic, $q(k\,|\,x)=1$ for the nearest; its KL to a uniform
prior is $\log K$ nats a code, whatever the encoder does.

Source: van den Oord, Vinyals and Kavukcuoglu (2017), section 3.1.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float, Int, Integer
from torch import Tensor

from jensengap import distances, inputs


class Losses(NamedTuple):
    r"""The two VQ-VAE losses outside the bound; both ``(*b)``, to be minimised.

    Attributes:
        codebook: $\|\mathrm{sg}[z_e]-e\|^2$, moves the table's entry alone.
        commitment: $\|z_e-\mathrm{sg}[e]\|^2$, moves the encoder alone.

    Source: van den Oord, Vinyals and Kavukcuoglu (2017), eq. 3, second and third term;
    the commitment without $\beta$.
    """

    codebook: Float[Tensor, "*b"]
    commitment: Float[Tensor, "*b"]


@inputs.checked
def nearest(
    z_e: Float[Tensor, "*b d"], codebook: Float[Tensor, "k d"]
) -> Int[Tensor, "*b"]:
    r"""Find the index of the nearest codebook entry, $\arg\min_k\|z_e-e_k\|$.

    Args:
        z_e: the encoder's outputs.
        codebook: $e_1,\dots,e_K$, one a row.

    Returns:
        Numbers from 0 to ``k - 1``; the smaller of two that are equally near.

    Raises:
        ValueError: an empty codebook, another number of dimensions, dtype or device, or
            a value that is not finite.

    Source: van den Oord, Vinyals and Kavukcuoglu (2017), eqs. 1 and 2.
    """
    if not z_e.numel():
        return z_e.new_zeros(z_e.shape[:-1], dtype=torch.int64)
    inputs.finite("z_e", z_e)
    inputs.finite("codebook", codebook)
    rows = z_e.reshape(-1, z_e.shape[-1])
    return distances.between(rows, codebook).argmin(-1).reshape(z_e.shape[:-1])


@inputs.checked
def straight_through(
    z_e: Float[Tensor, "*b d"], e: Float[Tensor, "*b d"]
) -> Float[Tensor, "*b d"]:
    r"""Return $e$, with the gradient of $z_e$: $e+z_e-\mathrm{sg}[z_e]$.

    The choice of $e$ is a step function of $z_e$, whose derivative is zero or does not
    exist. This is another gradient in its place, not an estimate of it.

    Args:
        z_e: the encoder's outputs, which receive the gradient.
        e: their codes, which receive none.

    Returns:
        The values of ``e``, to the last bit where ``z_e`` is finite (and −0 as 0).

    Source: Bengio, Léonard and Courville (2013) for the estimator; van den Oord,
    Vinyals and Kavukcuoglu (2017), section 3.2, for its use here.
    """
    # in this order the bracket is exactly 0, and e keeps its last bit
    return e.detach() + (z_e - z_e.detach())


@inputs.checked
def losses(z_e: Float[Tensor, "*b d"], e: Float[Tensor, "*b d"]) -> Losses:
    r"""Compute codebook and commitment loss: equal values, different gradients.

    Args:
        z_e: the encoder's outputs.
        e: their codes, rows of the codebook.

    Returns:
        :class:`Losses`: two equal numbers for each output, with different gradients.

    Source: van den Oord, Vinyals and Kavukcuoglu (2017), eq. 3, second and third term;
    the commitment without $\beta$.
    """
    codebook = (z_e.detach() - e).square().sum(-1)
    commitment = (z_e - e.detach()).square().sum(-1)
    return Losses(codebook, commitment)


@inputs.checked
def usage(index: Integer[Tensor, "n *m"], num_codes: int) -> Float[Tensor, "*m k"]:
    r"""Compute how often each entry is chosen, as shares for each position.

    Args:
        index: chosen entries, examples first; every further axis is a position.
        num_codes: $K$, the size of the codebook.

    Returns:
        Shares in float64, of sum one over the last axis.

    Raises:
        ValueError: no example, or an index outside the codebook.
    """
    if not inputs.every((index >= 0) & (index < num_codes)):
        raise ValueError(
            f"index must hold numbers from 0 to {num_codes - 1}, got "
            f"{int(index.min())} to {int(index.max())}; nearest returns such numbers"
        )
    # one_hot knows int64 only
    chosen = torch.nn.functional.one_hot(index.long(), num_codes)
    return chosen.to(inputs.widest(index)).mean(0)


@inputs.checked
def perplexity(shares: Float[Tensor, "*m k"]) -> Float[Tensor, "*m"]:
    r"""Compute $e^{H}$ with $H=-\sum_k p_k\log p_k$: how many entries are in use.

    Args:
        shares: not negative, of sum one over the last axis; see :func:`usage`.

    Returns:
        Between 1 (one entry serves all) and ``k`` (all are used alike).

    Raises:
        ValueError: shares that are negative, or do not sum to one.

    Source: Cover and Thomas (2006) for the entropy.
    """
    # what k roundings in their own dtype may leave
    slack = 4 * shares.shape[-1] * torch.finfo(shares.dtype).eps
    total = shares.sum(-1)
    if not inputs.every(shares >= 0) or not inputs.every((total - 1).abs() <= slack):
        raise ValueError(
            "shares must not be negative and sum to one over the last axis, got "
            f"{shares.min().item():g} at least and sums from {total.min().item():g} to "
            f"{total.max().item():g}; usage returns such shares"
        )
    # entr: 0 log 0 = 0
    return torch.special.entr(shares).sum(-1).exp()
