r"""The book's emblem: move $q$, and three bars change whose sum does not."""

from __future__ import annotations

from collections.abc import Sequence

import torch

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
    """
    prior = nets.gaussian(torch.zeros(1, dtype=torch.float64), 1.0)
    truth = MODEL.posterior(X)
    posterior = nets.gaussian(truth.mean, float(truth.stddev))
    z = torch.linspace(-2.5, 2.8, 90, dtype=torch.float64)[:, None]
    fig, (curves, bars) = plot.figure(6.0, 3.0, columns=2, width_ratios=(1.1, 1))
    curves.set(ylim=(0, 1.75), xlabel="z", yticks=[])
    bars.set(ylim=(-5.4, 0.4), ylabel="nats")
    bars.tick_params(axis="x", labelsize=8.5)

    def draw(mean: float, width: float = widths[0]) -> None:
        q = nets.gaussian(torch.tensor([mean], dtype=torch.float64), width)
        plot.wipe(curves)
        for density, colour in (
            (prior, plot.PRIOR),
            (posterior, plot.GAP),
            (q, plot.INK),
        ):
            curves.plot(z, density.log_prob(z).exp(), color=colour)
        plot.note(curves, -2.4, 0.2, "prior", plot.PRIOR)
        plot.note(curves, 1.35, 0.55, "posterior", plot.GAP)
        plot.note(curves, -2.4, 1.6, "q, your guess", plot.INK)
        plot.three_bars(
            plot.wipe(bars),
            float(MODEL.reconstruction(X, q)),
            float(divergences.kl(q, prior)),
            float(divergences.kl(q, posterior)),
        )

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
