"""Hash what a result depends on: equal hashes mean that nothing is to do."""

import hashlib
import os
import re
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

from jensengap.files import write_whole

# What the site is made of, and what the numbers in its chapters come from.
# A chapter's own text is not in the second list: the cache compares it itself.
SITE = (
    "book",
    "src",
    "tools/book",
    "tools/make.py",
    "_config.yml",
    "_toc.yml",
    "requirements.txt",
    "pyproject.toml",
)
NUMBERS = (
    "src",
    "tools/book/closing_cell.py",
    "tools/book/environment.py",
    "tools/book/execute.py",
    "requirements.txt",
)

# Written by tools, or by an editor at work; never read by the build.
_LITTER = re.compile(r"^(\..*|__pycache__|.*\.egg-info|.*\.pyc|.*~|#.*#)$")

_GITHUB = re.compile(
    r"^(?:https://(?:[^@/]+@)?|ssh://git@|git@)github\.com[:/]"
    r"([\w.-]+)/([\w.-]+?)(?:\.git)?/?$"
)
_SITE = re.compile(r"^https?://[\w.-]+(?::\d+)?(?:/[\w.~-]+)*/*$")


def files_below(root: Path, names: Iterable[str]) -> Iterator[Path]:
    """Yield the files named, and those in the folders named, in a fixed order."""
    for name in names:
        path = root / name
        if path.is_file():
            yield path
        for folder, subfolders, files in os.walk(path):
            # in place: os.walk goes where this list says
            subfolders[:] = sorted(d for d in subfolders if not _LITTER.match(d))
            yield from (Path(folder, f) for f in sorted(files) if not _LITTER.match(f))


def digest(root: Path, names: Iterable[str], *extra: str) -> str:
    """Hash names and contents of files, and some words more.

    Args:
        root: folder that the names are relative to.
        names: files and folders; one that does not exist adds nothing.
        *extra: whatever else the result depends on, such as an address.

    Returns:
        64 hexadecimal digits.
    """
    total = hashlib.sha256()
    for path in files_below(root, names):
        content = path.read_bytes()
        # The length ends each entry: moving a byte from one file to the next shows.
        total.update(f"{path.relative_to(root).as_posix()}\0{len(content)}\0".encode())
        total.update(content)
    for word in extra:
        total.update(f"\0{len(word)}\0{word}".encode())
    return total.hexdigest()


def read_mark(path: Path) -> str:
    """Return what `write_mark` left there, or nothing."""
    try:
        return path.read_text(encoding="utf-8").strip()
    except (FileNotFoundError, NotADirectoryError):
        return ""


def write_mark(path: Path, text: str) -> None:
    """Write a mark in one step, so that a killed run leaves all of it or none."""
    write_whole(path, text + "\n")


def github_address(remote: str) -> str:
    """Turn a remote's address into the repository's web address on GitHub.

    Args:
        remote: `https://…` or `git@…`; a password in it is dropped.

    Returns:
        `https://github.com/owner/name`, or nothing where it is no such address.
    """
    found = _GITHUB.match(remote.strip())
    return f"https://github.com/{found[1]}/{found[2]}" if found else ""


def repository_address(root: Path) -> str:
    """Find the address that the site's buttons point at; nothing where unknown.

    Raises:
        ValueError: JENSENGAP_REPOSITORY is set to something that is not on GitHub.
    """
    named = os.environ.get("JENSENGAP_REPOSITORY", "")
    if named:
        address = github_address(named)
        if not address:
            raise ValueError(
                "JENSENGAP_REPOSITORY must be like https://github.com/owner/name, "
                f"got {named!r}; correct it, or unset it for a site without buttons"
            )
        return address
    if not (root / ".git").exists():  # else git would answer for a folder above
        return ""
    try:
        asked = ["git", "-C", str(root), "remote", "get-url", "origin"]
        answer = subprocess.run(asked, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return github_address(answer.stdout)


def site_address(root: Path) -> str:
    """Find where the site will be, for links from elsewhere; nothing where unknown.

    Returns:
        An address that ends in `/`.

    Raises:
        ValueError: JENSENGAP_SITE is set to something that is no such address.
    """
    named = os.environ.get("JENSENGAP_SITE", "")
    if named:
        if not _SITE.match(named):
            raise ValueError(
                "JENSENGAP_SITE must be like https://owner.github.io/name/, got "
                f"{named!r}; correct it, or unset it and the repository's is taken"
            )
        return named.rstrip("/") + "/"
    repository = repository_address(root)
    if not repository:
        return ""
    owner, name = repository.split("/")[-2:]
    pages = f"{owner.lower()}.github.io"
    # the one repository of an owner that is published without its name
    return f"https://{pages}/" + (f"{name}/" if name.lower() != pages else "")
