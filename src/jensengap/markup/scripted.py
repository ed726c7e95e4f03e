"""Interactive figures as HTML: still picture, stage for scripts, data, scripts.

The still picture stands where scripts are off, in print, and when the data turn out to
be damaged. Everything is in the page: nothing is loaded, also from a file on a disk.
"""

from __future__ import annotations

import hashlib
import html
import json
import re
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from IPython.core.getipython import get_ipython
from IPython.display import display
from matplotlib.figure import Figure

from jensengap.markup import svg
from jensengap.terminal import say

_FOLDER = files("jensengap.markup") / "scripts"
# With the element: a canvas that had its size from its own pixels would grow for ever.
SQUARE = "width: 100%; aspect-ratio: 1"
_COMMENT = re.compile(r"\s*//")


def script(name: str) -> str:
    """Read a script of the package, without its comments and indentation.

    Args:
        name: of the file, without ``.js``.

    Returns:
        Lines of plain script, which end no ``<script>`` element early.

    Raises:
        FileNotFoundError: there is no such script.
    """
    lines = (_FOLDER / f"{name}.js").read_text("utf-8").splitlines()
    # comments and indentation are for readers of the source, not of the page
    kept = (line.strip() for line in lines if not _COMMENT.match(line))
    return "\n".join(line for line in kept if line).replace("</", "<\\/")


def slider(
    name: str,
    start: float | int,
    lowest: float | int,
    highest: float | int,
    step: float | int,
) -> str:
    """Write an HTML slider with its name and a place for its value.

    Args:
        name: what stands beside it.
        start: where it starts.
        lowest: its least value.
        highest: its largest value.
        step: between two values.

    Returns:
        A ``<label>`` element; the script writes the value.
    """
    # an output would speak at every step; the slider says its value itself
    return (
        f'<label><span>{html.escape(name)}</span><input type="range" min="{lowest:g}" '
        f'max="{highest:g}" value="{start:g}" step="{step:g}">'
        '<output aria-live="off"></output></label>'
    )


def markup(
    play: str,
    scripts: Sequence[str],
    data: dict[str, Any],
    inside: str,
    fig: Figure,
    alt: str,
    caption: str = "",
) -> str:
    """Write an interactive figure as HTML.

    Args:
        play: the last script's name, whose ``play`` is called when the page is there.
        scripts: the scripts it needs, in order; each runs once in a page, however many
            figures bring it.
        data: what the scripts work on.
        inside: canvases and controls, for the stage.
        fig: the still picture.
        alt: what it shows, and what can be done.
        caption: what to look for.

    Returns:
        One element, the same for the same input.

    Raises:
        ValueError: an empty ``alt``.
    """
    still = svg.inline(fig, alt)
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False)
    text = text.replace("</", "<\\/")
    # from the content: two figures of a page differ, two builds do not
    own = play[0] + hashlib.sha256((alt + text).encode()).hexdigest()[:8]
    code = "\n".join(script(name) for name in ("numbers", "network", "stage", *scripts))
    return (
        f'<div class="jg-figure jg-live jg-{play}" id="{own}">'
        f'<div class="jg-still">{still}</div>'
        f'<div class="jg-stage" role="group" aria-label="{html.escape(alt)}" hidden>'
        f'{inside}</div><p class="jg-message" role="alert" hidden></p>'
        f"{svg.caption(caption)}"
        "<noscript><p>A still picture: the live model needs scripts.</p></noscript>"
        f'<script type="application/json">{text}</script>'
        f'<script>{code}\njensengap.stage.open("{own}", jensengap.{play}.play);'
        "</script></div>"
    )


def show(written: str, fig: Figure, alt: str) -> None:
    """Show what :func:`markup` wrote; outside a kernel print the words instead.

    Args:
        written: the element.
        fig: the still picture.
        alt: what it shows.
    """
    if get_ipython() is None:
        say(alt)
        return
    bundle = {"text/plain": alt, "text/html": written, "image/png": svg.png(fig)}
    display(bundle, raw=True)
