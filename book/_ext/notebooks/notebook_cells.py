"""Make a page's notebook: text from its resolved doctree, code from its source.

Numbers, links and measured values are in the tree. Code is not always: a cell whose
source the page removes leaves only its place there. So the source file gives the code,
and the tree says where it stands and whether it belongs to a solution.
"""

import hashlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from docutils import nodes
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from _ext.notebooks.markdown_inline import Place
from _ext.notebooks.markdown_writer import block, exercise_heading, folded, heading

EXERCISES = ("exercise_node", "exercise_enumerable_node")
# What the page folds or removes is folded here; what the reader has to fill in is not.
FOLDED = {"hide-input", "hide-cell", "remove-input"}
METADATA = {
    "kernelspec": {
        "display_name": "Python 3",
        "language": "python",
        "name": "python3",
    },
    "language_info": {"name": "python"},
}


class Text(NamedTuple):
    """A piece of Markdown; `opens` where a new cell begins."""

    markdown: str
    solution: bool = False
    opens: bool = False


class Code(NamedTuple):
    """A code cell; `index` counts the cells of the page's file."""

    index: int
    solution: bool = False


Piece = Text | Code


def is_cell(node: nodes.Node) -> bool:
    """Tell whether a node is a code cell."""
    return isinstance(node, nodes.container) and node.get("nb_element") == "cell_code"


def pieces(parent: nodes.Element, place: Place, level: int = 1) -> Iterator[Piece]:
    """Split a page into text and code, in reading order.

    Args:
        parent: the document, a section, an exercise or a solution.
        place: the page.
        level: of the headings inside.

    Yields:
        Text and code.

    Raises:
        ValueError: a cell stands where no notebook can have one, in a list say.
    """
    for node in parent.children:
        kind = type(node).__name__
        if isinstance(node, nodes.section):
            yield Text(heading(node, place, level), opens=True)
            yield from pieces(node, place, level + 1)
        elif is_cell(node):
            yield Code(node["cell_index"])
        elif kind in EXERCISES:
            yield Text(exercise_heading(node, place), opens=True)
            yield from pieces(node[1], place, level + 1)
        elif kind == "solution_node":
            name = "Solution"
            for each in _merged(pieces(node[1], place, level + 1)):
                yield _of_solution(each, name)
                name = "Solution, continued"
        elif isinstance(node, nodes.Element) and not isinstance(node, nodes.title):
            if any(map(is_cell, node.findall(nodes.container))):
                raise ValueError(
                    f"a code cell stands inside {kind}, where no notebook can have "
                    "one; put it between paragraphs"
                )
            if markdown := block(node, place):
                yield Text(markdown)


def _of_solution(piece: Piece, name: str) -> Piece:
    if isinstance(piece, Code):
        return piece._replace(solution=True)
    return Text(folded(name, piece.markdown), solution=True, opens=True)


def _merged(found: Iterator[Piece]) -> Iterator[Piece]:
    """Join texts up to the next code, heading or solution."""
    held: Text | None = None
    for piece in found:
        joins = isinstance(piece, Text) and held is not None and not piece.opens
        if joins and piece.solution == held.solution:
            whole = f"{held.markdown}\n\n{piece.markdown}"
            held = held._replace(markdown=whole)
            continue
        if held is not None:
            yield held
        held = piece if isinstance(piece, Text) else None
        if held is None:
            yield piece
    if held is not None:
        yield held


def notebook(
    document: nodes.document, place: Place, code: Sequence[NotebookNode], first: str
) -> NotebookNode:
    """Make the notebook of one page.

    Args:
        document: the resolved doctree.
        place: the page.
        code: the code cells of the page's file.
        first: the code of a cell that comes before all others.

    Returns:
        A notebook with no outputs; equal pages give equal notebooks.

    Raises:
        ValueError: a code cell of the file is not in the tree, or not in this order.
    """
    found = list(_merged(pieces(document, place)))
    # each cell once and in order, or text and code would not fit together
    places = [piece.index for piece in found if isinstance(piece, Code)]
    if len(places) != len(code) or places != sorted(places):
        raise ValueError(
            f"the page shows {len(places)} code cells and its file has {len(code)}; "
            "one whose input and output are both removed is on no page"
        )
    cells, rest = [new_code_cell(first)], iter(code)
    for piece in found:
        if isinstance(piece, Code):
            cells.append(_code_cell(next(rest), piece.solution))
        else:
            tags = {"tags": ["solution"]} if piece.solution else {}
            cells.append(new_markdown_cell(piece.markdown, metadata=tags))
    _name(cells)
    return new_notebook(cells=cells, metadata=METADATA)


def _code_cell(cell: NotebookNode, solution: bool) -> NotebookNode:
    tags = cell.metadata.get("tags", [])
    kept = [*(["exercise"] if "exercise" in tags else []), *["solution"] * solution]
    metadata: dict = {"tags": kept} if kept else {}
    text = cell.source
    if solution or (FOLDED.intersection(tags) and "exercise" not in tags):
        text = f"# @title {_title(text, solution)}\n{text.lstrip()}"
        metadata |= {"cellView": "form", "jupyter": {"source_hidden": True}}
    return new_code_cell(text, metadata=metadata)


def _title(text: str, solution: bool) -> str:
    """Name in a word what folded code is for."""
    if solution:
        return "Solution"
    drawn = ("plot.", "figures.", "latent_plane.", "ring_game.")
    return "Drawing" if any(word in text for word in drawn) else "Numbers for the text"


def _name(cells: list[NotebookNode]) -> None:
    """Name each cell by a hash of what it holds, and of how often that came before."""
    seen: dict[str, int] = {}
    for cell in cells:
        key = f"{cell.cell_type}\0{cell.source}"
        seen[key] = seen.get(key, 0) + 1
        name = hashlib.sha256(f"{key}\0{seen[key]}".encode()).hexdigest()
        cell["id"] = name[:12]
