"""Takes out of each page what it does not use, so that it comes quickly."""

import re
from pathlib import Path

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

# Written into every page by the theme's template. Icons are in css/icons.css; the
# index of all words is for the page that searches.
FROM_TEMPLATE = {
    "fontawesome": re.compile(r"\s*<script[^>]*/fontawesome\.js[^>]*></script>"),
    "search": re.compile(
        r'\s*<script src="[^"]*(?:searchtools|language_data|searchindex)\.js[^"]*">'
        r"</script>"
    ),
}


def choose(app: Sphinx, page: str, template: str, context: dict, doctree) -> None:
    """Drops files that this page's text has no use for; the rest waits its turn."""
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


def finished_pages(app: Sphinx) -> list[Path]:
    """Returns the site's pages, without the parts that the theme keeps beside them."""
    found = sorted(Path(app.outdir).rglob("*.html"))
    return [path for path in found if "_static" not in path.parts]


def thin(app: Sphinx, error: Exception | None) -> None:
    """Takes what the theme's template writes into every page out of the finished ones.

    Raises:
        ValueError: the template no longer writes it, so this file is out of date.
    """
    if error is not None or app.builder.format != "html":
        return
    counts = dict.fromkeys(FROM_TEMPLATE, 0)
    for path in finished_pages(app):
        html = path.read_text(encoding="utf-8")
        for name, pattern in FROM_TEMPLATE.items():
            if name == "search" and path.name == "search.html":
                continue
            html, count = pattern.subn("", html)
            counts[name] += count
        path.write_text(html, encoding="utf-8")
    gone = [name for name, count in counts.items() if not count]
    if gone:
        raise ValueError(
            f"the theme's pages were to hold scripts for {gone}, and hold none; "
            "look at its layout.html and at light_pages.py"
        )


def setup(app: Sphinx) -> dict[str, bool]:
    """Registers the extension, after all those that add files."""
    app.connect("html-page-context", choose, priority=950)
    app.connect("build-finished", thin)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
