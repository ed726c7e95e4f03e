"""Find the installed Chromium, which prints the book and opens pages in tests."""

import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# It runs as root in containers, draws without a GPU, and calls nobody by itself.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WANTED = (
    f"a Chromium is wanted, none of {', '.join(NAMES)} was found; "
    "install one (Debian: apt install chromium)"
)


def installed() -> str | None:
    """Return the path of the first Chromium that is found, or nothing."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def needed() -> str:
    """Return the path of a Chromium, or end with a sentence that says what to install.

    Raises:
        SystemExit: there is none.
    """
    path = installed()
    if path is None:
        raise SystemExit(f"To print the book, {WANTED}, and run make pdf again.")
    return path
