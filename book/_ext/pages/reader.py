"""Load a reader's comforts: small scripts, each where there is a use for it."""

from sphinx.application import Sphinx

# The script, and what the page's text must hold.
SCRIPTS = {
    "scripts/preview.js": 'class="reference internal"',
    "scripts/read-marks.js": "",
    "scripts/progress.js": "",
    "scripts/solution-link.js": 'class="jg-ask"',
    "scripts/math-menu.js": 'class="math',
    "scripts/scroll-boxes.js": "",
    "scripts/print.js": "",
}


def comfort(app: Sphinx, page: str, template: str, context: dict, doctree) -> None:
    """Load the scripts of one page."""
    for script, wanted in SCRIPTS.items():
        if wanted in (context.get("body") or ""):
            app.add_js_file(script, loading_method="defer")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    app.connect("html-page-context", comfort)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
