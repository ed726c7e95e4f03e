"""Move live figures' data out of the pages: text comes first, a network after it.

A notebook's output has to carry its data; a page of the site need not. They are read
when the reader comes near the figure: as scripts, because these also work where the
page itself is opened as a file.
"""

import json
import os
import re
from pathlib import Path

from sphinx.application import Sphinx

from _ext.pages.page_markup import finished_pages

FOLDER = Path("_static", "figures")
_FIGURE = re.compile(
    r'(<div class="jg-figure jg-live [^"]*" id="(?P<own>\w+)">.*?'
    r'<script type="application/json">)(?P<data>.*?)(?P<end></script>)'
    r"<script>(?P<code>.*?)</script>",
    re.DOTALL,
)
_NEAR = (
    "{const figure = document.currentScript.parentElement; "
    "new IntersectionObserver((seen, watch) => { "
    "if (!seen.some(each => each.isIntersecting)) return; watch.disconnect(); "
    "for (const src of %s) figure.append(Object.assign("
    "document.createElement('script'), { src, async: false })); "
    "}, { rootMargin: '100%%' }).observe(figure);}"
)
_FILL = "document.querySelector('#%s > script[type=\"application/json\"]').textContent"


def move(app: Sphinx, error: Exception | None) -> None:
    """Write two files for each live figure, data and scripts, and name them."""
    if error is not None or app.builder.format != "html":
        return
    folder = Path(app.outdir, FOLDER)
    folder.mkdir(parents=True, exist_ok=True)
    for path in finished_pages(app):
        text = path.read_text(encoding="utf-8")
        address = Path(os.path.relpath(folder, path.parent)).as_posix()

        # address as a default: the function outlives this turn of the loop
        def outside(found: re.Match, address: str = address) -> str:
            own = found["own"]
            data = f"{_FILL % own} = {json.dumps(found['data'])};\n"
            (folder / f"{own}-data.js").write_text(data, encoding="utf-8")
            (folder / f"{own}.js").write_text(found["code"], encoding="utf-8")
            files = [f"{address}/{own}{part}.js" for part in ("-data", "")]
            return (
                f"{found[1]}{found['end']}<script>{_NEAR % json.dumps(files)}</script>"
            )

        moved = _FIGURE.sub(outside, text)
        if moved != text:
            path.write_text(moved, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension: it works on finished pages."""
    app.connect("build-finished", move, priority=800)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
