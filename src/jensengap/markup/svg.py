"""Matplotlib figures as inline SVG: colours of the theme, text as text, a caption.

matplotlib's SVG speaks for itself: own fonts, fixed colours, ids that clash. Here it
becomes inline markup whose colours are CSS custom properties, so that one drawing
follows the light and the dark theme, and whose labels stay text.
"""

from __future__ import annotations

import base64
import hashlib
import html
import io
import re

from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

INK, MUTED, LINE, PAPER = "#24292f", "#5f6b7a", "#d5dae1", "#ffffff"
RECONSTRUCTION, PRIOR, GAP, ACCENT = "#0068a8", "#b34700", "#007a5a", "#7a3e9d"

_PROPERTIES = {
    INK: "--jg-ink", MUTED: "--jg-muted", LINE: "--jg-line", PAPER: "--jg-paper",
    RECONSTRUCTION: "--jg-reconstruction", PRIOR: "--jg-prior", GAP: "--jg-gap",
    ACCENT: "--jg-accent",
}  # fmt: skip


def inline(fig: Figure, alt: str, prefix: str = "") -> str:
    """Draw a figure as an ``<svg>`` element that takes its colours from the page.

    Args:
        fig: the figure.
        alt: description, for ``aria-label``.
        prefix: begins every id; by default a hash of the drawing, so that several
            figures can share a page.

    Returns:
        Markup, the same for the same drawing.

    Raises:
        ValueError: an empty ``alt``.
    """
    if not alt.strip():
        raise ValueError("alt must say what the figure shows, got an empty text")
    if isinstance(fig.get_layout_engine(), ConstrainedLayoutEngine):
        fig.draw_without_rendering()  # one round of layout, before the one that counts
    buffer = io.StringIO()
    # savefig would draw each time twice, and frames are drawn by the dozen
    FigureCanvasSVG(fig).print_svg(buffer, metadata={"Date": None})
    drawing = buffer.getvalue()
    width, height = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', drawing).groups()
    drawing = _slim(drawing[drawing.index("<defs>") :])
    prefix = prefix or "f" + hashlib.sha256(drawing.encode()).hexdigest()[:8]
    # ids are of the whole page: two figures must not share one
    drawing = drawing.replace(' id="', f' id="{prefix}-')
    drawing = re.sub(r'(href="|url\()#', rf"\1#{prefix}-", drawing)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'role="img" aria-label="{html.escape(alt, quote=True)}" '
        'style="font-family: var(--jg-sans, sans-serif); stroke-linejoin: round">'
        f"{drawing.strip()}"
    )


def _slim(drawing: str) -> str:
    """Remove fonts and surplus digits, and replace colours by the page's variables."""
    # matplotlib's style element would speak to the whole page, not to this figure
    drawing = re.sub(r"<style.*?</style>", "", drawing, flags=re.DOTALL)
    drawing = drawing.replace("xlink:href=", "href=")
    drawing = re.sub(r"font: ([\d.]+px)[^;\"]*;?", r"font-size: \1;", drawing)
    drawing = re.sub(r"font-family: [^;\"]*;?", "", drawing)
    drawing = re.sub(
        r"<[^>]*>",  # inside tags only: a label keeps its decimals
        lambda tag: re.sub(r"\d+\.\d{3,}", lambda m: f"{float(m[0]):.2f}", tag[0]),
        drawing,
    )
    for colour, name in _PROPERTIES.items():
        drawing = drawing.replace(colour, f"var({name}, {colour})")
    return re.sub(r"\s*\n\s*", " ", _numbered(drawing))


def _numbered(drawing: str) -> str:
    """Number the ids that are referred to, and drop the others."""
    # matplotlib's own ids hash a place on the sheet, and the solver that lays out axes
    # moves a place by its last bit from run to run
    reference = r'(href="|url\()#([^")]+)'
    used = dict.fromkeys(name for _, name in re.findall(reference, drawing))
    number = {name: i for i, name in enumerate(used)}
    drawing = re.sub(reference, lambda m: f"{m[1]}#{number[m[2]]}", drawing)
    return re.sub(
        r' id="([^"]+)"',
        lambda m: f' id="{number[m[1]]}"' if m[1] in number else "",
        drawing,
    )


def caption(text: str) -> str:
    """Write a caption as a paragraph; nothing for no caption.

    Args:
        text: plain text.

    Returns:
        Markup, or an empty string.
    """
    return f'<p class="jg-caption">{html.escape(text)}</p>' if text else ""


def png(fig: Figure) -> str:
    """Draw a figure as PNG on white, for readers of notebooks that show no HTML.

    Args:
        fig: the figure.

    Returns:
        The picture, base64.
    """
    buffer = io.BytesIO()
    fig.savefig(buffer, format="png", dpi=144, facecolor=PAPER)
    return base64.b64encode(buffer.getvalue()).decode()
