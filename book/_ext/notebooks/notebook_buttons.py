"""Add header buttons: the page's notebook, and where to open it without a download.

The notebook is part of the site, so its button works everywhere, from a file too. Colab
and Binder fetch from the repository, and are offered only where its address is known.
"""

import os

from sphinx.application import Sphinx

from _ext.notebooks.export import has_cells, path_of

COLAB = "https://colab.research.google.com/github/{repository}/blob/gh-pages/{path}"
# Binder runs the chapter's own file, which JupyterLab opens as a notebook.
BINDER = "https://mybinder.org/v2/gh/{repository}/main?urlpath=lab/tree/book/{page}.md"


def point(app: Sphinx, config) -> None:
    """Set the theme's button from JENSENGAP_REPOSITORY, which the build passes on."""
    address = os.environ.get("JENSENGAP_REPOSITORY", "")
    if not address:
        return
    options = config.html_theme_options
    options["repository_url"] = address
    options["repository_branch"] = "main"
    options["path_to_docs"] = "book"
    options["use_repository_button"] = True


def add(app: Sphinx, page: str, template: str, context: dict, doctree) -> None:
    """Add the buttons of one page; a page without code gets none."""
    if not has_cells(doctree):
        return
    buttons = [
        {
            "type": "link",
            "url": context["pathto"](path_of(page), 1),
            "tooltip": "Download this page as a notebook",
            "icon": "fas fa-download",
            "label": "download-notebook",
        }
    ]
    repository = os.environ.get("JENSENGAP_REPOSITORY", "")
    if repository:
        words = {
            "repository": "/".join(repository.split("/")[-2:]),
            "path": path_of(page),
            "page": page,
        }
        places = {"Colab": COLAB.format(**words), "Binder": BINDER.format(**words)}
        links = [
            {"type": "link", "url": url, "text": f"Open in {name}"}
            for name, url in places.items()
        ]
        buttons.append(
            {
                "type": "group",
                "tooltip": "Run this page on a server",
                "icon": "fas fa-rocket",
                "label": "launch-notebook",
                "buttons": links,
            }
        )
    context["header_buttons"][:0] = buttons


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension: options before the theme reads them, buttons after."""
    app.connect("config-inited", point, priority=100)
    app.connect("html-page-context", add, priority=600)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
