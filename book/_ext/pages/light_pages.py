"""Load on each page only the scripts and styles that it uses."""

import re

from sphinx.application import Sphinx

# What a file is for: where this is not in the page's text, the file is not loaded.
# A part of the file's name, and the text.
USED_BY = {
    "copybutton.": 'class="highlight',
    "clipboard.": 'class="highlight',
    "design-tabs.js": "sd-tab-set",
    "sphinx-design.": 'class="sd-',
    "togglebutton": 'class="[^"]*(?:dropdown|toggle)',
    "toggleHint": 'class="[^"]*(?:dropdown|toggle)',
    "toggleOpen": 'class="[^"]*(?:dropdown|toggle)',
    "proof.css": 'class="proof',
    "exercise.css": 'class="(?:exercise|solution)',
    "mystnb.": 'class="cell ',
    "mathjax": 'class="[^"]*math',
    "MathJax": 'class="[^"]*math',
    "sphinx-thebe": 'class="thebe',
}
# Other scripts in a page's head speak to these as soon as they are read.
AT_ONCE = ("documentation_options.js", "doctools.js")


def choose(app: Sphinx, page: str, template: str, context: dict, doctree) -> None:
    """Drop files that this page's text has no use for; the rest waits its turn."""
    text = context.get("body") or ""
    for kind in ("script_files", "css_files"):
        context[kind] = [each for each in context.get(kind, []) if _used(each, text)]
    for script in context["script_files"]:
        name = str(getattr(script, "filename", None) or "")
        if name and not any(each in name for each in AT_ONCE):
            script.attributes.setdefault("defer", "defer")


def _used(file: object, text: str) -> bool:
    name = getattr(file, "filename", None) or getattr(file, "attributes", {}).get(
        "body", ""
    )
    wanted = [use for part, use in USED_BY.items() if part in str(name)]
    return all(re.search(use, text) for use in wanted)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension, after all those that add files."""
    app.connect("html-page-context", choose, priority=950)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
