"""Remove the ids that theorem and exercise directives give to every block alike."""

from docutils import nodes
from sphinx.application import Sphinx

# Nothing links to them; two blocks on a page would share one, which HTML forbids.
SHARED = {"proof", "proof-content", "exercise-content", "solution-content"}


def take_away(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Remove the shared ids from one page."""
    for node in doctree.findall(nodes.Element):
        ids = node.get("ids")
        if ids and SHARED.intersection(ids):
            node["ids"] = [each for each in ids if each not in SHARED]


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension, to act when all has been numbered by these ids."""
    app.connect("doctree-resolved", take_away, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
