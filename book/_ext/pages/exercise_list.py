"""Tell every page which exercises the chapters have, so that it can count the answers.

The list comes from the forms of the finished pages: for each page its exercises'
labels, each with the digest of its question.
"""

import json
import re
from pathlib import Path

from sphinx.application import Sphinx

from _ext.pages.page_markup import finished_pages

_FORM = re.compile(
    r'<form class="jg-ask"[^>]* data-exercise="([^"]+)" data-question="([^"]+)"'
)
_LIST = re.compile(r'<script type="application/json" id="jg-exercises">.*?</script>\n')


def exercises(text: str) -> dict[str, str]:
    """Return the exercises of a page's markup: for each label its question's digest."""
    return dict(_FORM.findall(text))


def tell(app: Sphinx, error: Exception | None) -> None:
    """Write the list of all exercises into all pages."""
    if error is not None or app.builder.format != "html":
        return
    root = Path(app.outdir)
    texts = {path: path.read_text(encoding="utf-8") for path in finished_pages(app)}
    found = {
        path.relative_to(root).with_suffix("").as_posix(): exercises(text)
        for path, text in texts.items()
    }
    listed = {page: each for page, each in found.items() if each}
    data = json.dumps(listed, separators=(",", ":"))
    told = f'<script type="application/json" id="jg-exercises">{data}</script>\n'
    for path, text in texts.items():
        # a page that was not written anew has the list of the last build
        before, end, after = _LIST.sub("", text).rpartition("</body>")
        path.write_text(f"{before}{told}{end}{after}", encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension: it works on finished pages."""
    app.connect("build-finished", tell, priority=700)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
