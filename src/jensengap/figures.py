"""Figures with sliders that need no kernel: matplotlib draws all frames in advance.

Every frame is drawn by matplotlib; what differs from frame to frame (a curve, a bar's
height, a label) is kept in a table, and a few lines of script write one row of it
into the drawing. The result works in a built page, opened as a file, by mouse, touch
and keyboard; without scripts the middle frame remains.
"""

from __future__ import annotations

import hashlib
import html
import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from xml.etree import ElementTree

import torch
from IPython.core.getipython import get_ipython
from IPython.display import display
from matplotlib.figure import Figure
from torch.distributions import Independent

from jensengap import divergences, exact, nets, plot
from jensengap.markup import svg, widgets
from jensengap.terminal import say

_SCRIPT = """
(() => {
  const root = document.getElementById("%(own)s");
  const {slots, strings, frames, labels} = %(data)s;
  const nodes = root.querySelector("svg").querySelectorAll("*");
  const inputs = [...root.querySelectorAll("input")];
  const outputs = root.querySelectorAll("output");
  const button = root.querySelector("button");
  const show = (places = inputs.map(input => input.valueAsNumber)) => {
    let frame = 0;
    inputs.forEach((input, i) => {
      frame = frame * labels[i].length + places[i];
      outputs[i].value = labels[i][places[i]];
      input.setAttribute("aria-valuetext", outputs[i].value);
    });
    slots.forEach(([node, name], i) => {
      const value = strings[frames[frame][i]];
      if (name) nodes[node].setAttribute(name, value);
      else nodes[node].textContent = value;
    });
  };
  const [first] = inputs;
  let clock = 0;
  const pause = () => {
    clearInterval(clock);
    clock = 0;
    button.textContent = "Play";
  };
  const step = () => {
    if (!root.isConnected || first.value === first.max) return pause();
    first.valueAsNumber += 1;
    show();
    if (first.value === first.max) pause();
  };
  button.addEventListener("click", () => {
    if (clock) return pause();
    if (first.value === first.max) first.value = 0;
    show();
    button.textContent = "Pause";
    clock = setInterval(step, %(interval)s);
  });
  button.hidden = false;
  inputs.forEach(input => input.addEventListener("input", () => {
    pause();
    show();
  }));
  addEventListener("beforeprint", () => show(labels.map(row => row.length >> 1)));
  addEventListener("afterprint", () => show());
  show(); // a browser may restore a slider's place when a page is reloaded
})();
"""

# the conjugate example of the chapter ``decomposition``
_MODEL = exact.LinearGaussian(
    weight=torch.tensor([[1.7]], dtype=torch.float64),
    bias=torch.tensor([0.3], dtype=torch.float64),
    scale=0.8,
)
_X = torch.tensor([1.9], dtype=torch.float64)

_INTERVAL = 320  # milliseconds a frame, when it plays
_NO_SCRIPT = "<noscript><p>The middle frame: the sliders need scripts.</p></noscript>"


def moving(
    fig: Figure,
    update: Callable[..., None],
    sliders: Mapping[str, Sequence[float]],
    *,
    alt: str,
    caption: str = "",
    spec: str = ".2f",
) -> None:
    """Show a figure with one or two sliders that choose among its frames.

    A button plays the first slider's frames to the end; nothing moves by itself. In a
    live kernel the sliders are widgets, and ``update`` is called on demand.

    Args:
        fig: the figure, with all its artists. Its layout is fixed before the first
            frame, so that nothing jumps.
        update: called with one value of each slider, in their order; changes the
            artists' data and adds or removes none.
        sliders: for each name the values it can take, in order.
        alt: what the middle frame shows, and what moving the sliders changes.
        caption: what to look for; stands below the figure.
        spec: format of the values beside the sliders.

    Outside a kernel there is no page, and the ``alt`` text is printed instead.

    Raises:
        ValueError: no slider, a slider with fewer than two values, an empty ``alt``,
            or frames that differ in more than their artists' data.
    """
    if not sliders or min(map(len, sliders.values())) < 2:
        raise ValueError("sliders must name at least one list of two or more values")
    if widgets.wanted():
        _live(fig, update, sliders, alt, caption, spec)
        return
    markup, png = _draw(fig, update, sliders, alt, spec)
    if get_ipython() is None:
        say(alt)
        return
    # between the drawing and its script
    caption = svg.caption(caption)
    markup = markup.replace("</div><script>", f"</div>{caption}<script>", 1)
    bundle = {"text/plain": alt, "text/html": markup, "image/png": png}
    display(bundle, raw=True)


def _live(
    fig: Figure,
    update: Callable[..., None],
    sliders: Mapping[str, Sequence[float]],
    alt: str,
    caption: str,
    spec: str,
) -> None:
    """Show the figure with ipywidgets, each frame drawn when it is asked for."""
    _settle(fig, update, sliders)

    def draw(*places: int) -> str:
        update(*(vs[i] for vs, i in zip(sliders.values(), places, strict=True)))
        return f'<div class="jg-figure">{svg.inline(fig, alt)}</div>'

    controls = [
        widgets.choice(name, [_label(v, spec) for v in vs], len(vs) // 2)
        for name, vs in sliders.items()
    ]
    widgets.panel(draw, controls, svg.caption(caption))


def _settle(
    fig: Figure, update: Callable[..., None], sliders: Mapping[str, Sequence[float]]
) -> None:
    """Lay out the middle frame, and keep that layout: nothing jumps."""
    update(*_middle(sliders))
    # drawn once, which lays out; without the engine the axes then stay put
    fig.draw_without_rendering()
    fig.set_layout_engine("none")


def _middle(sliders: Mapping[str, Sequence[float]]) -> list[float]:
    """Return the middle value of each slider, at which a figure starts."""
    return [values[len(values) // 2] for values in sliders.values()]


def _draw(
    fig: Figure,
    update: Callable[..., None],
    sliders: Mapping[str, Sequence[float]],
    alt: str,
    spec: str,
) -> tuple[str, str]:
    """Draw all frames; return the figure's markup and its middle frame as PNG."""
    # from the content, so that a chapter that is built twice is the same
    own = "m" + hashlib.sha256((alt + repr(sliders)).encode()).hexdigest()[:8]
    _settle(fig, update, sliders)
    # the middle frame: what is seen until a script runs, and in print
    base = svg.inline(fig, alt, own)
    png = svg.png(fig)
    drawings = []
    # the last slider runs fastest: the script counts frames so
    for values in itertools.product(*sliders.values()):
        update(*values)
        drawings.append(_parts(svg.inline(fig, alt, own)))
    data = _table(drawings)
    data["labels"] = [[_label(v, spec) for v in vs] for vs in sliders.values()]
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False)
    # no string of the data may end the script element
    text = text.replace("</", "<\\/")
    script = _SCRIPT % {"own": own, "data": text, "interval": _INTERVAL}
    markup = (
        f'<div class="jg-figure jg-moving" id="{own}">{base}'
        f'<div class="jg-controls">{_button(sliders)}{_controls(sliders, spec)}</div>'
        f"<script>{script}</script>{_NO_SCRIPT}</div>"
    )
    return markup, png


def _controls(sliders: Mapping[str, Sequence[float]], spec: str) -> str:
    """Write the sliders, each at its middle value."""
    return "".join(
        f'<label><span>{html.escape(name)}</span><input type="range" min="0" '
        f'max="{len(values) - 1}" value="{len(values) // 2}" step="1">'
        f'<output aria-live="off">{_label(middle, spec)}</output></label>'
        for (name, values), middle in zip(
            sliders.items(), _middle(sliders), strict=True
        )
    )


def _button(sliders: Mapping[str, Sequence[float]]) -> str:
    """Write the Play button; without scripts it stays hidden."""
    name = html.escape(next(iter(sliders)), quote=True)
    return (
        '<button type="button" class="jg-play" aria-description='
        f'"moves {name} to its end" hidden>Play</button>'
    )


Parts = dict[tuple[int, str], str]


def _parts(drawing: str) -> Parts:
    """Split a drawing into values by (element's number, attribute's name)."""
    # without the root, in document order: querySelectorAll("*") counts so
    nodes = list(ElementTree.fromstring(drawing).iter())[1:]
    parts: Parts = {}
    for i, node in enumerate(nodes):
        parts |= {(i, name): value for name, value in node.attrib.items()}
        parts[i, "tag"] = node.tag
        parts[i, ""] = node.text or ""
    return parts


def _table(drawings: Sequence[Parts]) -> dict[str, list]:
    """Tabulate what differs: places, distinct values, and a row for each frame."""
    first = drawings[0]
    if any(drawing.keys() != first.keys() for drawing in drawings):
        raise ValueError(
            "frames must have the same elements: update() may change what artists "
            "show, but not add, remove or hide them, nor let a curve leave the axes"
        )
    slots = [
        place
        for place, value in first.items()
        if any(drawing[place] != value for drawing in drawings)
    ]
    if any(name == "tag" for _, name in slots):
        raise ValueError("frames must have the same elements in the same order")
    rows = [[drawing[place] for place in slots] for drawing in drawings]
    # each string once: most frames share their labels and colours
    strings = {text: i for i, text in enumerate(dict.fromkeys(itertools.chain(*rows)))}
    return {
        "slots": [list(place) for place in slots],
        "strings": list(strings),
        "frames": [[strings[text] for text in row] for row in rows],
    }


def _label(value: float, spec: str) -> str:
    return format(value, spec).replace("-", "−")


def _gaussian(mean: float, width: float) -> Independent:
    return nets.gaussian(torch.tensor([mean], dtype=torch.float64), width)


def _three_terms(
    q: Independent, prior: Independent, posterior: Independent
) -> list[float]:
    """Return reconstruction and both KLs of the emblem's model, in nats."""
    kls = [divergences.kl(q, p) for p in (prior, posterior)]
    return [float(term) for term in (_MODEL.reconstruction(_X, q), *kls)]


def emblem(means: Sequence[float], widths: Sequence[float]) -> None:
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
    truth = _MODEL.posterior(_X)
    posterior = nets.gaussian(truth.mean, float(truth.stddev))
    z = torch.linspace(-2.5, 2.8, 90, dtype=torch.float64)[:, None]

    def terms(mean: float, width: float) -> list[float]:
        return _three_terms(_gaussian(mean, width), prior, posterior)

    # all frames first: the axis of the bars has to hold the lowest
    frames = [terms(*at) for at in itertools.product(means, widths)]
    lowest = min(reconstruction - kl_prior for reconstruction, kl_prior, _ in frames)
    fig, (curves, bars) = plot.figure(6.0, 3.0, columns=2, width_ratios=(1.1, 1))
    # the narrowest q is the tallest, 0.4 / width
    top = max(1.1, 0.45 / min(widths))
    curves.set(ylim=(0, top), xlabel="z", yticks=[])
    bars.set(ylim=(lowest - 0.2, 0.3), ylabel="nats")

    def draw(mean: float, width: float = widths[0]) -> None:
        plot.wipe(curves)
        lines = (
            ("q, your guess", _gaussian(mean, width), plot.INK),
            ("posterior", posterior, plot.GAP),
            ("prior", prior, plot.PRIOR),
        )
        for row, (name, density, colour) in enumerate(lines):
            curves.plot(z, density.log_prob(z).exp(), color=colour, zorder=4 - row)
            plot.note(curves, -2.4, top * (0.92 - 0.09 * row), name, colour)
        plot.three_bars(plot.wipe(bars), *terms(mean, width))

    sliders = {"mean of q": means, "width of q": widths}
    moving(
        fig,
        draw,
        {name: values for name, values in sliders.items() if len(values) > 1},
        alt="Left: prior, posterior and a Gaussian q. Right: the three terms as bars, "
        "each starting where the last ended. Moving q changes all three bars; "
        "the line at log p(x) stays.",
        caption="The third bar always ends on the same line: what is lost in "
        "reconstruction and prior is the distance to the posterior.",
    )
