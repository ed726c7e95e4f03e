r"""The book's emblem: move $q$, and three bars change whose sum does not."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from torch.distributions import Independent

from jensengap import divergences, exact, figures, nets, plot

# the conjugate example of the chapter ``decomposition``
MODEL = exact.LinearGaussian(
    weight=torch.tensor([[1.7]], dtype=torch.float64),
    bias=torch.tensor([0.3], dtype=torch.float64),
    scale=0.8,
)
X = torch.tensor([1.9], dtype=torch.float64)


def show(means: Sequence[float], widths: Sequence[float]) -> None:
    r"""Show prior, posterior and $q$ beside the decomposition of $\log p(x)$.

    The model is $z\sim\mathcal N(0,1)$, $x\,|\,z\sim\mathcal N(1.7z+0.3,\,0.8^2)$ at
    $x=1.9$; the three terms are closed forms, in nats.

    Args:
        means: values of the slider for the mean of $q$, at least two.
        widths: values of the slider for its width; one value makes no slider.

    Raises:
        ValueError: fewer than two means, no width, or a width that is not positive.
    """
    if len(means) < 2 or len(widths) < 1:
        raise ValueError(
            "the emblem needs two or more means and at least one width, got "
            f"{len(means)} and {len(widths)}"
        )
    prior = nets.gaussian(torch.zeros(1, dtype=torch.float64), 1.0)
    truth = MODEL.posterior(X)
    posterior = nets.gaussian(truth.mean, float(truth.stddev))
    z = torch.linspace(-2.5, 2.8, 90, dtype=torch.float64)[:, None]

    def guess(mean: float, width: float) -> Independent:
        return nets.gaussian(torch.tensor([mean], dtype=torch.float64), width)

    def terms(q: Independent) -> list[float]:
        to_prior, to_posterior = (divergences.kl(q, p) for p in (prior, posterior))
        return [float(t) for t in (MODEL.reconstruction(X, q), to_prior, to_posterior)]

    every = [terms(guess(*at)) for at in itertools.product(means, widths)]
    lowest = min(reconstruction - kl_prior for reconstruction, kl_prior, _ in every)
    fig, (curves, bars) = plot.figure(6.0, 3.0, columns=2, width_ratios=(1.1, 1))
    top = max(1.1, 0.45 / min(widths))
    curves.set(ylim=(0, top), xlabel="z", yticks=[])
    bars.set(ylim=(lowest - 0.2, 0.3), ylabel="nats")

    def draw(mean: float, width: float = widths[0]) -> None:
        q = guess(mean, width)
        plot.wipe(curves)
        lines = (
            ("q, your guess", q, plot.INK),
            ("posterior", posterior, plot.GAP),
            ("prior", prior, plot.PRIOR),
        )
        for row, (name, density, colour) in enumerate(lines):
            curves.plot(z, density.log_prob(z).exp(), color=colour, zorder=4 - row)
            plot.note(curves, -2.4, top * (0.92 - 0.09 * row), name, colour)
        plot.three_bars(plot.wipe(bars), *terms(q))

    sliders = {"mean of q": means, "width of q": widths}
    figures.moving(
        fig,
        draw,
        {name: values for name, values in sliders.items() if len(values) > 1},
        alt="Left: prior, posterior and a Gaussian q. Right: the three terms as bars, "
        "each starting where the last ended. Moving q changes all three bars; "
        "the line at log p(x) stays.",
        caption="The third bar always ends on the same line: what is lost in "
        "reconstruction and prior is the distance to the posterior.",
    )
