"""Formulas with no network: MathJax in the site, only the part that is used."""

import importlib.util
import shutil
from pathlib import Path

from sphinx.application import Sphinx

# SVG output carries its glyphs in the script: no font files, so pages opened as files
# look the same in browsers that let no file load a font.
COMPONENT = "tex-svg.js"
# The speech rules and the explorer are loaded when a reader asks for them.
KEPT = (COMPONENT, "a11y", "sre", "input/tex/extensions")


def _source() -> Path:
    found = importlib.util.find_spec("sphinx-mathjax-offline")
    if found is None or not found.submodule_search_locations:
        raise ImportError(
            "the package sphinx-mathjax-offline is wanted and is not installed; "
            "install it as requirements.txt pins it"
        )
    return Path(found.submodule_search_locations[0], "static", "mathjax")


def copy_kept(app: Sphinx, error: Exception | None) -> None:
    """Copies the kept parts of MathJax into the finished site."""
    if error is not None or app.builder.format != "html":
        return
    for name in KEPT:
        source, target = _source() / name, Path(app.outdir, "_static", "mathjax", name)
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True)
        else:
            shutil.copyfile(source, target)


def setup(app: Sphinx) -> dict[str, bool]:
    """Registers the extension."""
    app.config.mathjax_path = f"mathjax/{COMPONENT}"
    app.connect("build-finished", copy_kept)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
