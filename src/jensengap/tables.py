"""A table in a page: HTML for the site, aligned text wherever there is none.

Outputs of a cell know no Markdown, so a table that is computed is written here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

from IPython.display import display

# a hyphen that begins a number
_MINUS = re.compile(r"(?<![\w-])-(?=[\d.])")


def show(
    head: Sequence[str], rows: Sequence[Sequence[str]], notes: Sequence[str] = ()
) -> None:
    """Display a table.

    Args:
        head: what the columns are.
        rows: cells as they are to be read; a hyphen before a number becomes a minus.
        notes: sentences that stand below it, a line each.

    Raises:
        ValueError: a row has more cells than there are columns, or fewer.
    """
    for row in rows:
        if len(row) != len(head):
            raise ValueError(
                f"a row must have {len(head)} cells, as the head has, got {len(row)}: "
                f"{list(row)}"
            )
    lines = [[_MINUS.sub("−", cell) for cell in row] for row in (head, *rows)]
    first, *others = (
        "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in line)
        for tag, line in zip(["th"] + ["td"] * len(rows), lines, strict=True)
    )
    body = "".join(f"<tr>{line}</tr>" for line in others)
    markup = (
        f'<table class="table"><thead><tr>{first}</tr></thead>'
        f"<tbody>{body}</tbody></table>"
    )
    below = [_MINUS.sub("−", note) for note in notes]
    markup += "".join(f"<p>{escape(note)}</p>" for note in below)
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    plain = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        for line in lines
    ]
    text = "\n".join(line.rstrip() for line in [*plain, *below])
    display({"text/html": markup, "text/plain": text}, raw=True)
