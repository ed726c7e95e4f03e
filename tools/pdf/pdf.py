"""Print the whole book into one PDF, by the Chromium that is installed."""

import fcntl
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, Error, Page, sync_playwright
from pypdf import PdfReader, PdfWriter
from pypdf.generic import DictionaryObject, NameObject, TextStringObject

from jensengap.terminal import say
from tools.book import chromium
from tools.book.freshness import digest, read_mark, write_mark
from tools.book.toc import ROOT
from tools.pdf.bound import SETTINGS, STYLES, bound, settings

# What a PDF depends on, the site itself apart.
MADE_BY = (
    "tools/pdf",
    "tools/book/toc.py",
    STYLES.relative_to(ROOT).as_posix(),
    *SETTINGS,
)
# Pages of their own have had numbers at their foot since then.
OLDEST = 131
# A page as wide as a window, smaller: rules for phones do not hold, 1rem is 3.4 mm.
SCALE = 0.8
WIDTH = round((210 - 32 - 26) / 25.4 * 96 / SCALE)  # of the text, see css/paper.css
ROUNDS = 4

# A formula is read aloud by its source, and is a picture for the rest.
_SET = """async () => {
  await MathJax.startup.promise;
  for (const each of MathJax.startup.document.math) {
    const root = each.typesetRoot;
    root.querySelector("mjx-assistive-mml")?.remove();
    root.firstElementChild.removeAttribute("aria-hidden");
    root.setAttribute("role", "img");
    root.setAttribute("aria-label", each.math.trim());
  }
  await document.fonts.ready;
  await Promise.all([...document.images].map(each => each.decode()));
}"""
_FAULTS = """() => {
  const width = document.documentElement.clientWidth + 1;
  const ill = [...document.querySelectorAll(".math:not(:has(.math))")].filter(each =>
    each.querySelectorAll("mjx-container").length !== 1
    || each.querySelector("mjx-merror, [data-mjx-error], mjx-container svg text"));
  const wide = [...document.querySelectorAll(".bd-article :not(svg *)")].filter(each =>
    each.getBoundingClientRect().right > width);
  return [
    ...ill.map(each => `not set: ${each.textContent.trim().slice(0, 100)}`),
    ...wide.map(each => `wider than the page: ${each.outerHTML.slice(0, 100)}`),
  ];
}"""
_HEADINGS = """() => {
  const headings = document.querySelectorAll("h1, h2, h3, h4, h5, h6, .jg-part[role]");
  return [...headings].map(heading => {
    const words = heading.cloneNode(true);
    for (const each of words.querySelectorAll("mjx-container"))
      each.replaceWith(each.getAttribute("aria-label"));
    return words.textContent.trim().replace(/\\s+/g, " ");
  });
}"""
_NUMBER = """numbers => {
  for (const place of document.querySelectorAll("[data-page-of]"))
    place.textContent = numbers[place.dataset.pageOf];
}"""


def ensure(site: Path, path: Path) -> bool:
    """Print the site's book, unless the PDF has been printed from it already.

    Args:
        site: the folder of the finished site.
        path: of the PDF; what is there stays until a new one is whole.

    Returns:
        Whether it was printed.

    Raises:
        SystemExit: there is no Chromium, or it cannot print this book.
        ValueError: a link leads to a place that the site does not have.
    """
    executable = chromium.needed()
    mark = path.with_name(path.name + ".made-from")
    with open(path.with_name(f".{path.name}.lock"), "w") as lock:
        # two runs would print into the same file
        fcntl.flock(lock, fcntl.LOCK_EX)
        made_from = digest(ROOT, MADE_BY, digest(site.parent, [site.name]))
        if path.is_file() and read_mark(mark) == made_from:
            return False
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            new = _printed(site, Path(folder), executable)
            mark.unlink(missing_ok=True)
            # in one step, and only when the new one is whole
            os.replace(new, path)
        write_mark(mark, made_from)
    return True


def _printed(site: Path, folder: Path, executable: str) -> Path:
    page = folder / "book.html"
    page.write_text(bound(site), encoding="utf-8")
    start = {"executable_path": executable, "args": chromium.ARGUMENTS}
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(**start)
            try:
                return _print(browser, page)
            finally:
                browser.close()
    except Error as error:
        raise SystemExit(
            f"Chromium could not print the book, and no PDF was made: {error}"
        ) from None


def _print(browser: Browser, file: Path) -> Path:
    if int(browser.version.split(".")[0]) < OLDEST:
        raise SystemExit(
            f"To print the book, Chromium {OLDEST} or newer is wanted, "
            f"{browser.version} was found; install a newer one."
        )
    page = browser.new_page(viewport={"width": WIDTH, "height": 1000})
    page.emulate_media(media="print", color_scheme="light")
    page.set_default_timeout(0)  # a slow machine takes minutes
    page.goto(file.as_uri())
    page.evaluate(_SET)
    faults = page.evaluate(_FAULTS)
    if faults:
        raise SystemExit("\n".join(["The book cannot be printed:", *faults[:20]]))
    raw = _with_page_numbers(page, file.with_suffix(".raw.pdf"))
    return _finished(raw, page.evaluate(_HEADINGS), file.with_suffix(".pdf"))


def _with_page_numbers(page: Page, path: Path) -> Path:
    """Print until the pages that contents and index name are the pages there are."""
    written: dict[str, int] = {}
    for _ in range(ROUNDS):
        page.pdf(
            path=path,
            scale=SCALE,
            prefer_css_page_size=True,
            print_background=True,
            outline=True,
            tagged=True,
        )
        numbers = page_numbers(PdfReader(path))
        if numbers == written:
            return path
        # numbers of more digits may move a line, hence another round
        page.evaluate(_NUMBER, numbers)
        written = numbers
    raise SystemExit(f"The book's page numbers still changed in print {ROUNDS}.")


def page_numbers(reader: PdfReader) -> dict[str, int]:
    """Return the page on which each target of a link stands, counted from 1."""
    return {
        name.removeprefix("/"): reader.get_destination_page_number(place) + 1
        for name, place in reader.named_destinations.items()
    }


def _finished(raw: Path, headings: list[str], path: Path) -> Path:
    """Name the book and its author, and mend the bookmarks.

    Chromium joins two words in them where a heading's line ends between the two.
    """
    # incremental: all that Chromium wrote stays as it is
    writer = PdfWriter(raw, incremental=True)
    marks = list(_bookmarks(writer.root_object["/Outlines"]))
    if len(marks) != len(headings):
        raise SystemExit(
            f"As many bookmarks as headings are wanted, {len(headings)}, and Chromium "
            f"wrote {len(marks)}; look at tools/pdf/pdf.py."
        )
    for mark, heading in zip(marks, headings, strict=True):
        mark[NameObject("/Title")] = TextStringObject(heading)
    named = settings()
    writer.metadata = {f"/{each}": named[each.lower()] for each in ("Title", "Author")}
    writer.write(path)
    return path


def _bookmarks(above: DictionaryObject) -> Iterator[DictionaryObject]:
    """Yield the bookmarks below one, in the order of the text."""
    mark = above.get("/First")
    while mark is not None:
        mark = mark.get_object()
        yield mark
        yield from _bookmarks(mark)
        mark = mark.get("/Next")


if __name__ == "__main__":
    where = Path(sys.argv[2])
    try:
        new = ensure(Path(sys.argv[1]), where)
    except ValueError as error:
        raise SystemExit(str(error)) from None
    if new:
        num_pages = len(PdfReader(where).pages)
        megabytes = where.stat().st_size / 1e6
        say(f"Printed {num_pages} pages, {megabytes:.0f} MB.")
    else:
        say("The PDF is up to date.")
    say(f"Open {where}")
