r"""Bernoulli likelihood of binary pixels: certain ones, and no grey ones.

In $\log p(x)=\sum_k[(1-x_k)\log\sigma(-\ell_k)+x_k\log\sigma(\ell_k)]$ all terms have
one sign, so that nothing cancels. $x^\top\ell-\sum_k\log(1+e^{\ell_k})$ is the same in
half the time; :func:`log_probs` takes it where log-odds are finite, and not so large
that the difference loses its digits.

Source: Kingma and Welling (2014), eq. 11, by log-odds.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import logsigmoid, softplus

from jensengap import inputs


class Bernoulli(torch.distributions.Bernoulli):
    r"""Bernoulli whose ``log_prob`` knows infinite log-odds and refuses grey values.

    torch's own computes $0\cdot\infty$ where a pixel is certain, and takes grey values
    where its validation is switched off.

    Source: Kingma and Welling (2014), eq. 11, by log-odds.
    """

    @inputs.checked
    def log_prob(self, value: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
        r"""Return $x\log\sigma(\ell)+(1-x)\log\sigma(-\ell)$ in nats, $0\log0=0$.

        Args:
            value: zeros and ones, broadcastable to the log-odds.

        Raises:
            ValueError: a value that is neither, which has no probability.
        """
        binary("value", value)
        try:
            # by the sign: no product of 0 and infinity, and no difference that cancels
            return logsigmoid(self.logits * (2 * value - 1))
        except RuntimeError:
            raise ValueError(
                f"value must fit the log-odds, {tuple(self.logits.shape)}, got shape "
                f"{tuple(value.shape)}"
            ) from None


def binary(name: str, x: Tensor) -> None:
    """Refuse what is neither 0 nor 1: a Bernoulli gives it no probability.

    Args:
        name: what the message calls it.
        x: values.

    Raises:
        ValueError: a grey value, or NaN.
    """
    # one product; NaN and infinity are no zeros of it either
    if not inputs.every((x * (x - 1)) == 0):
        bad = x[(x != 0) & (x != 1)]
        raise ValueError(
            f"{name} must be 0 or 1, got {bad[0].item():g} and in all {len(bad)} such "
            f"of {x.numel()} values, outside of the support: a Bernoulli gives grey "
            "pixels no probability; draw binary images with data.binarize"
        )


@inputs.checked
def log_probs(
    logits: Float[Tensor, "m d"], x: Float[Tensor, "n d"]
) -> Float[Tensor, "m n"]:
    r"""Evaluate $\log p(x_j)$ under every row of log-odds, by one matrix product.

    Args:
        logits: log-odds, infinite where a pixel is certain.
        x: targets in [0, 1].

    Returns:
        Nats, $-\infty$ where what is certain did not happen.

    Source: Kingma and Welling (2014), eq. 11, by log-odds.
    """
    # torch rounds log(1 + e^l) to l from 20 on, off by 2e-9 a pixel
    off = softplus(logits, threshold=40.0).sum(-1, keepdim=True)
    if keeps_digits(off):
        log_probs = logits @ x.mT - off
        # where a pixel is certainly off, 0 times -infinity is no number
        if inputs.every(~log_probs.isnan()):
            return log_probs
    # by the sign, as above: all terms have one sign, so that nothing cancels
    both = torch.cat([logsigmoid(-logits), logsigmoid(logits)], 1)  # (m, 2d)
    targets = torch.cat([1 - x, x], 1)  # (n, 2d)
    finite = both.masked_fill(both == -torch.inf, 0.0)
    log_probs = finite @ targets.mT
    if inputs.every(finite == both):
        return log_probs
    # what is certain and did not happen; a product would make 0 times infinity of it
    missed = (both == -torch.inf).to(x) @ (targets > 0).to(x).mT
    return log_probs.masked_fill(missed > 0, -torch.inf)


def keeps_digits(off: Tensor) -> bool:
    """Test whether a difference of numbers of this size is right to 0.002 nats.

    Args:
        off: what is subtracted, such as :func:`log_normaliser` returns.

    Returns:
        False also where one is NaN or infinite.
    """
    return inputs.every(off.abs().max() * torch.finfo(off.dtype).eps < 2e-3)
