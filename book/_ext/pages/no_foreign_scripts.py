"""Drop the theme's scripts that ask another host or fail without one."""

import re

from docutils import nodes
from sphinx.application import Sphinx

# thebe starts kernels on a server; its address stands in inline scripts.
_UNWANTED = re.compile(
    r"thebe|unpkg\.com|require(\.min)?\.js|embed-amd|<script>kernelName", re.IGNORECASE
)


def drop_files(app: Sphinx, page: str, template: str, context: dict, doctree) -> None:
    """Remove the unwanted scripts and styles from one page's head."""
    for kind in ("script_files", "css_files"):
        context[kind] = [
            each
            for each in context.get(kind, [])
            if not _UNWANTED.search(f"{each} {getattr(each, 'attributes', '')}")
        ]


def drop_inline(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Remove the unwanted scripts from the end of one page's text."""
    # Only what stands at the top level: a chapter may well speak of any of them.
    for node in [each for each in doctree.children if isinstance(each, nodes.raw)]:
        if _UNWANTED.search(node.astext()):
            doctree.remove(node)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension, after all those that add scripts."""
    app.connect("html-page-context", drop_files, priority=900)
    app.connect("doctree-resolved", drop_inline, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
