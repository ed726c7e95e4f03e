"""Correct what the theme writes into finished pages, and drop what no page uses."""

import re
from pathlib import Path

from sphinx.application import Sphinx

# A browser may refuse storage, and the theme's first script would end there.
_STORE = (
    "try { localStorage.getItem('mode'); } catch { "
    "Object.defineProperty(window, 'localStorage', { value: "
    "{ getItem: () => null, setItem() {}, removeItem() {}, refused: true } }); }\n    "
)
# Letters that come with the styles do not move the text a moment later. Opened as a
# file, a page may not ask for a font in advance.
_FONT = (
    "if (location.protocol !== 'file:') document.head.append(Object.assign("
    "document.createElement('link'), { rel: 'preload', as: 'font', crossOrigin: '', "
    "type: 'font/woff2', href: document.documentElement.dataset.content_root + "
    "'_static/fonts/source-serif-4-latin-wght-normal.woff2' }));\n    "
)
# Text is there to be read before formulas are set; who has to wait for them can.
_LATER = (
    "<script>window.formulas = new Promise(done => addEventListener("
    "'DOMContentLoaded', () => requestAnimationFrame(() => setTimeout(() => "
    "document.head.append(Object.assign(document.createElement('script'), { src: "
    "'{}', onload: () => done(MathJax.startup.promise) }))))));</script>"
)
# What is found in every page, and what it becomes.
MENDED = {
    "first script": (
        re.compile(r'(<script data-cfasync="false">\s*)(?=document)'),
        rf"\g<1>{_STORE}{_FONT}",
    ),
    "formulas": (
        re.compile(r'<script defer="defer" src="([^"]*/tex-svg\.js)"></script>'),
        lambda found: _LATER.replace("{}", found[1]),
    ),
    # Icons are in css/icons.css; the index of all words is for the page that searches.
    "fontawesome": (re.compile(r"\s*<script[^>]*/fontawesome\.js[^>]*></script>"), ""),
    "words": (
        re.compile(
            r'\s*<script src="[^"]*(?:searchtools|language_data|searchindex)\.js[^"]*">'
            r"</script>"
        ),
        "",
    ),
    # A notebook is kept, not shown: a browser would show its text. (From a file it does
    # so all the same, beside the page: there the notebook is on the reader's disk.)
    "notebook": (
        re.compile(r'(<a href="(?:\.\./)*notebooks/[^"]*\.ipynb") (?=target="_blank")'),
        r"\1 download ",
    ),
    # An entry of a bibliography is an item of a list; its own role is deprecated.
    "references": (re.compile(r' role="doc-biblioentry"'), ' role="listitem"'),
    # Its words say what folded code is; another name would hide them.
    "folded": (re.compile(r'(<summary) aria-label="Toggle hidden content"'), r"\1"),
    # The emblem and the book's contents are a place that one can jump to.
    "sidebar": (
        re.compile(r'(<div id="pst-primary-sidebar") (?=class)'),
        r'\1 role="region" aria-label="Book" ',
    ),
    # Room is kept for the emblem before it has come.
    "emblem": (
        re.compile(r'(<img src="[^"]*logo[^"]*\.svg" )(?=class="logo__image)'),
        r'\g<1>width="48" height="48" ',
    ),
}


# What stays as it is: a page, and the name of what is mended elsewhere.
KEPT = {("search.html", "words")}


def finished_pages(app: Sphinx) -> list[Path]:
    """Return the site's pages, without the parts that the theme keeps beside them."""
    found = sorted(Path(app.outdir).rglob("*.html"))
    return [path for path in found if "_static" not in path.parts]


def mend(app: Sphinx, error: Exception | None) -> None:
    """Correct the finished pages.

    Raises:
        ValueError: there is nothing to mend any more, so this file is out of date.
    """
    if error is not None or app.builder.format != "html":
        return
    counts = dict.fromkeys(MENDED, 0)
    for path in finished_pages(app):
        html = path.read_text(encoding="utf-8")
        for name, (pattern, replacement) in MENDED.items():
            if (path.name, name) not in KEPT:
                html, count = pattern.subn(replacement, html)
                counts[name] += count
        path.write_text(html, encoding="utf-8")
    gone = [name for name, count in counts.items() if not count]
    if gone:
        raise ValueError(
            f"page_markup.py mends {gone} in the theme's pages and found none; "
            "look at what the theme writes now"
        )


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    app.connect("build-finished", mend)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
