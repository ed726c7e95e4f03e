"""Buttons to the repository and to Binder, only where the address is known."""

import os

from sphinx.application import Sphinx


def point(app: Sphinx, config) -> None:
    """Sets the theme's buttons from JENSENGAP_REPOSITORY, which the build passes on."""
    address = os.environ.get("JENSENGAP_REPOSITORY", "")
    if not address:
        return
    options = config.html_theme_options
    options["repository_url"] = address
    options["repository_branch"] = "main"
    options["path_to_docs"] = "book"
    options["use_repository_button"] = True
    options["launch_buttons"] = {
        "binderhub_url": "https://mybinder.org",
        "notebook_interface": "jupyterlab",
    }


def setup(app: Sphinx) -> dict[str, bool]:
    """Registers the extension, before the theme reads its options."""
    app.connect("config-inited", point, priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
