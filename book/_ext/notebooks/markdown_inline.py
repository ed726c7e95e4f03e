"""Write words, links and formulas of a resolved doctree as Markdown, on one line."""

import re
from collections.abc import Callable
from typing import NamedTuple

from docutils import nodes

from _ext.notebooks.plain_latex import COLOURS, Macros, plain

# What Markdown, or the search for formulas, would take for more than a letter.
_SPECIAL = re.compile(r"[\\`*_~$]|<(?=[A-Za-z/!?])|&(?=#?\w+;)|\[(?=[^\]]*\]\()")
_ENTITIES = {"<": "&lt;", "&": "&amp;", "[": "&#91;"}
# What makes the start of a line a heading, a list, a quotation.
_OPENING = re.compile(r"^(?:[#>+=|-]|\d+(?=[.)](?:\s|$)))")


class Place(NamedTuple):
    """What the writer has to know of a page: links, numbers, macros.

    Attributes:
        link: makes a complete address of one that is relative to the page, or of `#id`.
        number: gives the number of a heading, an equation, a theorem or an exercise.
        macros: the book's own in formulas.
    """

    link: Callable[[str], str]
    number: Callable[[nodes.Element], str]
    macros: Macros


def escaped(text: str) -> str:
    """Escape text so that Markdown shows exactly these letters."""
    text = " ".join(re.split(r"[ \n\t]+", text))  # a no-break space is a letter
    return _SPECIAL.sub(lambda m: _ENTITIES.get(m[0], "\\" + m[0]), text)


def paragraph(text: str) -> str:
    """Escape the start of a line, where Markdown would see a heading or a list."""
    text = text.strip()
    found = _OPENING.match(text)
    if not found:
        return text
    if found[0].isdigit():
        return f"{found[0]}\\{text[found.end() :]}"
    return f"\\{text}"


def code(text: str) -> str:
    """Write code in a line; the marks around it outnumber those inside."""
    marks = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    room = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{marks}{room}{text}{room}{marks}"


def inline(node: nodes.Node, place: Place) -> str:
    """Write what stands in a line.

    Args:
        node: words, or what holds them.
        place: the page that they stand on.

    Returns:
        Markdown on one line.

    Raises:
        NotImplementedError: a kind of node that has no Markdown here.
    """
    if isinstance(node, nodes.Text):
        return escaped(node.astext())
    write = KINDS.get(type(node).__name__)
    if write is None:
        raise NotImplementedError(
            f"a notebook has no Markdown for {type(node).__name__} in a line "
            f"({node.astext()[:60]!r}); say in markdown_inline.py what it becomes"
        )
    return write(node, place)


def inside(node: nodes.Element, place: Place) -> str:
    """Write all that a node holds."""
    return "".join(inline(child, place) for child in node.children)


def _marked(mark: str) -> Callable[[nodes.Element, Place], str]:
    def write(node: nodes.Element, place: Place) -> str:
        text = inside(node, place)
        inner = text.strip()
        if not inner:
            return text
        # a space between a mark and the word would undo the mark
        before, _, after = text.partition(inner)
        return f"{before}{mark}{inner}{mark}{after}"

    return write


def _math(node: nodes.math, place: Place) -> str:
    return f"${plain(node.astext(), place.macros)}$"


def _reference(node: nodes.reference, place: Place) -> str:
    text = inside(node, place)
    to = node.get("refuri") or f"#{node['refid']}"
    return f"[{text}]({place.link(to)})"


def _inline(node: nodes.inline, place: Place) -> str:
    text = inside(node, place)
    for name in node.get("classes", []):
        if name in COLOURS:
            return f'<span style="color: {COLOURS[name]}">{text}</span>'
    return text


def _image(node: nodes.image, place: Place) -> str:
    return f"*{escaped(node.get('alt', 'a picture'))}*"


def _nothing(node: nodes.Element, place: Place) -> str:
    return ""


KINDS: dict[str, Callable[[nodes.Element, Place], str]] = {
    "emphasis": _marked("*"),
    "strong": _marked("**"),
    "title_reference": _marked("*"),
    "literal": lambda node, _: code(node.astext()),
    "math": _math,
    "reference": _reference,
    "number_reference": _reference,
    "inline": _inline,
    "image": _image,
    "target": _nothing,
    "index": _nothing,
    "comment": _nothing,
}
