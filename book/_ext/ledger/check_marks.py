"""Link each checked equation to its row of the ledger, and verdicts to equations."""

from docutils import nodes
from sphinx.application import Sphinx

from _ext.ledger.evidence import homes, lines, pages, refused
from _ext.ledger.html_element import element


def mark(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Mark the checked equations of one page."""
    ledger = app.config.ledger_page
    found = pages(app.env).get(page)
    if found is None or ledger not in app.env.found_docs:
        return
    checked = {c.verdict.equation for c in found.checks if not refused(c)}
    way = app.builder.get_relative_uri(page, ledger)
    math = app.env.domains["math"]
    for node in list(doctree.findall(nodes.math_block)):
        label = node.get("label")
        if label in checked:
            to = app.env, page, app.builder, "eq", label
            number = math.resolve_xref(*to, nodes.Element(), nodes.Element()).astext()
            name = f"{number} is checked: see the ledger"
            link = element(
                "a",
                "✓",
                class_="jg-checked",
                href=f"{way}#row-{label}",
                title=name,
                aria_label=name,
            )
            box = element("div", class_="jg-equation")
            node.parent.replace(node, box)  # replace_self would copy the id
            box += [node, link]


def lead(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Link a verdict on another page's equation to that page."""
    home = homes(pages(app.env))
    for raw, verdict in lines(doctree):
        there = home.get(verdict.equation, page)
        if there != page:
            anchor = f"#equation-{verdict.equation}"
            way = app.builder.get_relative_uri(page, there)
            text = raw.astext().replace(f'href="{anchor}"', f'href="{way}{anchor}"')
            raw[0] = nodes.Text(text)


def unfold(app: Sphinx, page: str, template: str, context: dict, doctree) -> None:
    """Load the script that opens what hides a verdict when a link leads there."""
    if page in pages(app.env):
        app.add_js_file("scripts/open-target.js", loading_method="defer")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    app.setup_extension("_ext.ledger.ledger")
    app.connect("doctree-resolved", mark)
    app.connect("doctree-resolved", lead)
    app.connect("html-page-context", unfold)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
