"""Figures with ipywidgets in a live kernel, computed on demand.

Works with ipywidgets 7.7, as in Colab, and 8. Where the book is built there is a
kernel but nobody in front of it: ``JENSENGAP_STATIC`` says so, and is set there.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Sequence
from typing import Any

from IPython.core.getipython import get_ipython
from IPython.display import display


def wanted() -> bool:
    """Decide whether a figure is made of widgets.

    Returns:
        Whether the code runs in a notebook's kernel, ipywidgets is installed, and the
        environment variable ``JENSENGAP_STATIC`` is not set.
    """
    # a shell in a terminal has no kernel, and cannot show a widget
    live = getattr(get_ipython(), "kernel", None) is not None
    static = bool(os.environ.get("JENSENGAP_STATIC"))
    return live and not static and importlib.util.find_spec("ipywidgets") is not None


def choice(name: str, labels: Sequence[str], start: int) -> Any:
    """Make a slider over a list of labels.

    Args:
        name: what stands beside it.
        labels: what can be chosen, in order; its value is the place in the list.
        start: the place it starts at.

    Returns:
        An ``ipywidgets.SelectionSlider``.
    """
    import ipywidgets

    return ipywidgets.SelectionSlider(
        options=[(label, place) for place, label in enumerate(labels)],
        value=start,
        description=name,
        style={"description_width": "initial"},
    )


def scale(name: str, start: float, extent: float, step: float) -> Any:
    """Make a slider over an interval around 0.

    Args:
        name: what stands beside it.
        start: where it starts.
        extent: it goes from ``-extent`` to ``extent``.
        step: between two values.

    Returns:
        An ``ipywidgets.FloatSlider``.
    """
    import ipywidgets

    return ipywidgets.FloatSlider(
        value=start, min=-extent, max=extent, step=step, description=name
    )


def panel(draw: Callable[..., str], controls: Sequence[Any], caption: str = "") -> Any:
    """Show a picture that is drawn afresh whenever a control changes.

    Args:
        draw: from the values of the controls, in order, to markup.
        controls: widgets with a ``value``.
        caption: markup that stands below.

    Returns:
        The widget that was shown; its first child is the picture.
    """
    import ipywidgets

    def values() -> list[Any]:
        return [control.value for control in controls]

    picture = ipywidgets.HTML(value=draw(*values()))

    def redraw(_: Any) -> None:
        picture.value = draw(*values())

    for control in controls:
        control.observe(redraw, "value")
    row = ipywidgets.HBox(list(controls))
    # sliders go below each other where the window is narrow
    row.layout.flex_flow = "row wrap"
    box = ipywidgets.VBox([picture, row, ipywidgets.HTML(value=caption)])
    display(box)
    return box


def clock(label: str, interval: int, most: int) -> Any:
    """Make the buttons that play, pause and begin again.

    Args:
        label: what they are for.
        interval: milliseconds between two ticks.
        most: ticks until it stops by itself.

    Returns:
        An ``ipywidgets.Play``; its ``value`` is the tick, and 0 begins again.
    """
    import ipywidgets

    return ipywidgets.Play(
        value=0, min=0, max=most, step=1, interval=interval, description=label
    )
