"""Add HTML elements to docutils that it has no node for."""

from docutils import nodes
from sphinx.application import Sphinx


class HtmlElement(nodes.General, nodes.TextElement):
    """One HTML element; text and nodes of any kind may stand inside."""


def element(tag: str, *inside: nodes.Node | str, **attributes: str) -> HtmlElement:
    """Make an element.

    Args:
        tag: such as `td`.
        *inside: what stands in it.
        **attributes: `data_name` stands for `data-name`, `class_` for `class`.

    Returns:
        A node that the HTML builder writes as this element.
    """
    html = {key.rstrip("_").replace("_", "-"): attributes[key] for key in attributes}
    ids = [html.pop("id")] if "id" in html else []
    parts = [nodes.Text(part) if isinstance(part, str) else part for part in inside]
    return HtmlElement("", "", *parts, tag=tag, html=html, ids=ids)


def start(writer, node: HtmlElement) -> None:
    """Write the start tag."""
    writer.body.append(writer.starttag(node, node["tag"], "", **node["html"]))


def end(writer, node: HtmlElement) -> None:
    """Write the end tag."""
    writer.body.append(f"</{node['tag']}>\n")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the node for HTML, the one format that the book is built in."""
    app.add_node(HtmlElement, html=(start, end))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
