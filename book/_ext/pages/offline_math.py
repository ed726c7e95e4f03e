"""Put MathJax into the site, as one script, so that formulas need no network."""

import importlib.util
import json
import shutil
from pathlib import Path

from sphinx.application import Sphinx

from _ext.pages.math_glyphs import subset

# SVG output carries its glyphs in the script: no font files, so pages opened as files
# look the same in browsers that let no file load a font.
COMPONENT = "tex-svg.js"
FONT = "output/svg/fonts/tex.js"
# Joined in this order; each finds what it needs in those before it.
PARTS = (
    "startup.js",
    "core.js",
    "input/tex-base.js",
    *(f"input/tex/extensions/{name}.js" for name in ("ams", "newcommand")),
    *(f"input/tex/extensions/{name}.js" for name in ("configmacros", "html")),
    "output/svg.js",
    FONT,
    "a11y/assistive-mml.js",
)
# The menu, the speech rules and the explorer are loaded when a reader asks for them:
# see scripts/math-menu.js.
KEPT = ("ui/menu.js", "a11y", "sre")


def _source() -> Path:
    found = importlib.util.find_spec("sphinx-mathjax-offline")
    if found is None or not found.submodule_search_locations:
        raise ImportError(
            "the package sphinx-mathjax-offline is wanted and is not installed; "
            "install it as requirements.txt pins it"
        )
    return Path(found.submodule_search_locations[0], "static", "mathjax")


def joined(app: Sphinx) -> str:
    """Return the script that typesets formulas; how it does so comes first."""
    own = Path(app.confdir, "_assets", "scripts", "math-slices.js")
    parts = {name: (_source() / name).read_text(encoding="utf-8") for name in PARTS}
    parts[FONT] = subset(parts[FONT])
    # What comes later, the menu say, need not look for these.
    names = [
        name.removesuffix(".js").replace("input/tex/extensions", "[tex]")
        for name in PARTS
    ]
    here = f"MathJax.loader.preLoad(...{json.dumps(names[1:])});"
    return "\n".join([own.read_text(encoding="utf-8"), *parts.values(), here])


def copy_kept(app: Sphinx, error: Exception | None) -> None:
    """Write the script, and what it may load later, into the finished site."""
    if error is not None or app.builder.format != "html":
        return
    folder = Path(app.outdir, "_static", "mathjax")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / COMPONENT).write_text(joined(app), encoding="utf-8")
    for name in KEPT:
        source, target = _source() / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True)
        else:
            shutil.copyfile(source, target)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    app.config.mathjax_path = f"mathjax/{COMPONENT}"
    app.connect("build-finished", copy_kept)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
