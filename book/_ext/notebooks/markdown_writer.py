"""Write a resolved doctree as Markdown that Colab, JupyterLab and GitHub all show.

Numbers, links, citations and measured values stand in the tree already. What this file
has no words for is an error: so nothing of the chapters' own markup is left over.
"""

import re
from collections.abc import Callable, Iterable

from docutils import nodes

from _ext.notebooks.markdown_inline import Place, escaped, inside, paragraph
from _ext.notebooks.plain_latex import display


def blocks(children: Iterable[nodes.Node], place: Place) -> str:
    """Write blocks, with a blank line between them."""
    written = (block(child, place) for child in children)
    return "\n\n".join(text for text in written if text.strip())


def block(node: nodes.Element, place: Place) -> str:
    """Write one block.

    Args:
        node: a paragraph, a list, a table, a formula, and so on.
        place: the page that it stands on.

    Returns:
        Markdown, without a line break at its end.

    Raises:
        NotImplementedError: a kind of node that has no Markdown here.
        ValueError: a table that Markdown cannot hold.
    """
    write = KINDS.get(type(node).__name__)
    if write is None:
        raise NotImplementedError(
            f"a notebook has no Markdown for the block {type(node).__name__} "
            f"({node.astext()[:60]!r}); say in markdown_writer.py what it becomes"
        )
    return write(node, place)


def folded(title: str, text: str) -> str:
    """Write text that a reader has to open; blank lines keep it Markdown."""
    return f"<details><summary>{title}</summary>\n\n{text}\n\n</details>"


def quoted(title: str, text: str) -> str:
    """Write a quotation under a title in bold."""
    whole = f"**{title}**\n\n{text}" if title else text
    return "\n".join(f"> {line}".rstrip() for line in whole.splitlines())


def heading(node: nodes.Element, place: Place, level: int) -> str:
    """Write a section's heading, with its number."""
    number = place.number(node)
    title = inside(node[node.first_child_matching_class(nodes.title)], place)
    return f"{'#' * level} {number + ' ' if number else ''}{title.strip()}"


def exercise_heading(node: nodes.Element, place: Place) -> str:
    """Write the heading of an exercise: its number, then its title."""
    title = inside(node[0], place).strip()
    # the page adds brackets around what the chapter calls it
    title = re.sub(r"^(?:Exercise)?\s*\((.*)\)$", r"\1", title)
    name = f"Exercise {place.number(node)}".strip()
    return f"### {name} · {title}" if title else f"### {name}"


def _indented(text: str, mark: str) -> str:
    room = " " * len(mark)
    lines = [f"{room}{line}".rstrip() for line in text.splitlines()]
    return mark + "\n".join(lines)[len(mark) :]


def _list(node: nodes.Element, place: Place) -> str:
    start = node.get("start", 1)
    ordered = isinstance(node, nodes.enumerated_list)
    items = [
        _indented(blocks(item.children, place), f"{number}. " if ordered else "- ")
        for number, item in enumerate(node.children, start)
    ]
    loose = any("\n\n" in item for item in items)
    return ("\n\n" if loose else "\n").join(items)


def _definitions(node: nodes.definition_list, place: Place) -> str:
    """Write definitions as a list: notebooks know no other form."""
    items = []
    for item in node.children:
        terms = [each for each in item.children if isinstance(each, nodes.term)]
        named = ", ".join(f"**{inside(term, place).strip()}**" for term in terms)
        text = blocks(item[len(terms) :], place)
        items.append(_indented(f"{named}\n\n{text}", "- "))
    return "\n\n".join(items)


def _math_block(node: nodes.math_block, place: Place) -> str:
    # one line: in a quotation the marks of its lines would become part of a formula
    return f"$${display(node.astext(), place.macros, place.number(node))}$$"


def _code_block(node: nodes.literal_block, place: Place) -> str:
    text = node.astext()
    marks = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    language = node.get("language", "")
    language = "python" if language.startswith(("ipython", "python")) else language
    return f"{marks}{language}\n{text.rstrip()}\n{marks}"


def _admonition(node: nodes.Element, place: Place) -> str:
    title = next((each for each in node if isinstance(each, nodes.title)), None)
    rest = [each for each in node.children if each is not title]
    name = inside(title, place) if title is not None else ""
    if not name and not isinstance(node, nodes.admonition):
        name = type(node).__name__.capitalize()
    text = blocks(rest, place)
    return folded(name, text) if "dropdown" in node["classes"] else quoted(name, text)


def _theorem(node: nodes.Element, place: Place) -> str:
    name = f"{node['realtype'].capitalize()} {place.number(node)}".strip()
    title = inside(node[0], place).strip()
    title = f"{name} {title}" if title else name
    return quoted(title, blocks(node[1].children, place))


def _proof(node: nodes.Element, place: Place) -> str:
    # the word stands in the text already, inside a box of its own
    text = blocks(node[0].children, place)
    return quoted("", re.sub(r"^(Proof\.)", r"**\1**", text))


def _dropdown(node: nodes.Element, place: Place) -> str:
    title, *rest = node.children
    return folded(_summary(title, place), blocks(rest, place))


def _summary(title: nodes.Element, place: Place) -> str:
    words = title.deepcopy()
    for icon in list(words.findall(nodes.raw)):
        icon.parent.remove(icon)
    # not everybody reads Markdown inside a summary
    return re.sub(r"`+ ?(.*?) ?`+", r"<code>\1</code>", inside(words, place).strip())


def _table(node: nodes.table, place: Place) -> str:
    """Write a table; every cell is one line, and `|` stays a letter."""
    group = node[node.first_child_matching_class(nodes.tgroup)]
    head, rows = [], []
    for part in group.children:
        target = {"thead": head, "tbody": rows}.get(part.tagname)
        if target is not None:
            target += [_row(row, place) for row in part.children]
    if len(head) != 1:
        raise ValueError(
            f"a table in Markdown has one row of headings, this one {len(head)}: "
            f"{node.astext()[:60]!r}"
        )
    rule = "|" + "---|" * len(list(group.findall(nodes.colspec)))
    caption = node.first_child_matching_class(nodes.title)
    above = [] if caption is None else [f"**{inside(node[caption], place)}**", ""]
    return "\n".join([*above, *head, rule, *rows])


def _row(row: nodes.row, place: Place) -> str:
    cells = []
    for entry in row.children:
        if entry.get("morecols") or entry.get("morerows"):
            raise ValueError(
                f"a cell of a table in Markdown cannot span: {entry.astext()[:60]!r}"
            )
        cells.append("<br>".join(_in_table(each, place) for each in entry.children))
    return f"| {' | '.join(cells)} |"


def _in_table(node: nodes.Element, place: Place) -> str:
    if not isinstance(node, nodes.paragraph):
        raise ValueError(
            f"a cell of a table in Markdown holds a line, this one {node.tagname}: "
            f"{node.astext()[:60]!r}"
        )
    node = node.deepcopy()
    for math in node.findall(nodes.math):
        # \| is two bars to LaTeX and one letter to the table
        latex = math.astext().replace(r"\|", r"\Vert ").replace("|", r"\vert ")
        math[:] = [nodes.Text(latex)]
    return re.sub(r"(?<!\\)\|", r"\\|", inside(node, place).strip())


def _figure(node: nodes.figure, place: Place) -> str:
    """Drop a picture: what it shows, in words, and its caption stay."""
    parts = []
    for child in node.children:
        caption = isinstance(child, nodes.caption)
        parts.append(inside(child, place) if caption else block(child, place))
    return quoted("", "\n\n".join(parts))


def _within(node: nodes.Element, place: Place) -> str:
    return blocks(node.children, place)


def _nothing(node: nodes.Element, place: Place) -> str:
    return ""


KINDS: dict[str, Callable[[nodes.Element, Place], str]] = {
    "paragraph": lambda node, place: paragraph(inside(node, place)),
    "bullet_list": _list,
    "enumerated_list": _list,
    "definition_list": _definitions,
    "definition": _within,
    "block_quote": lambda node, place: quoted("", _within(node, place)),
    "math_block": _math_block,
    "literal_block": _code_block,
    "rubric": lambda node, place: f"**{inside(node, place).strip()}**",
    "admonition": _admonition,
    **dict.fromkeys(("note", "tip", "hint", "important", "warning"), _admonition),
    "theorem_node": _theorem,
    "unenumerable_node": _theorem,
    "proof_node": _proof,
    "dropdown_main": _dropdown,
    "table": _table,
    "figure": _figure,
    "image": lambda node, _: f"*{escaped(node.get('alt', 'a picture'))}*",
    "container": _within,
    # where the page names others to the sidebar
    "compound": _nothing,
    "transition": lambda node, _: "---",
    **dict.fromkeys(("target", "comment", "index"), _nothing),
}
