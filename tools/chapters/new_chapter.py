"""Make a chapter from the template, and enter it wherever chapters are listed.

All texts are made before the first is written, and what was there comes back where
writing fails: a chapter is made as a whole or not at all. Only the standard library is
used, so that nobody waits for the environment.
"""

import re
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from jensengap.files import write_whole

MOST_LETTERS = 32  # of a name: then the longest line of a cell still fits
MOST_OF_A_TITLE = 48
_NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_TITLE = re.compile(r"[^\W_](?:[^\W_]|[ ,:;'’?!()–-])*")
TOC, PLAN = "_toc.yml", "book/appendix/course-plan.md"
READING = "tests/helpers/reading.py"
_QUESTIONS = "src/jensengap/exercises/chapters"
QUESTIONS = f"{_QUESTIONS}/__init__.py"
_BEYOND, _AFTERWARDS = "## Beyond the six weeks", "## How to check yourself"
_LEAD = """Chapters that are in no week, in the order of the book, with their exercises.
Take one where a week leaves time, or after the last."""


class Chapter(NamedTuple):
    """A chapter's part and name, as in the address of its page."""

    part: str
    name: str

    @property
    def page(self) -> str:
        """Return the page, as `_toc.yml` names it."""
        return f"{self.part}/{self.name}"

    @property
    def module(self) -> str:
        """Return the name of the module of its exercises."""
        return self.name.replace("-", "_")

    @property
    def files(self) -> tuple[str, str]:
        """Return the two files that are made."""
        return f"book/{self.page}.md", f"{_QUESTIONS}/{self.module}.py"


def add_chapter(root: Path, name: str, title: str = "") -> None:
    """Make a chapter, enter it, and say what comes next.

    Args:
        root: the repository.
        name: part and name, `gan/wasserstein`.
        title: its heading; made from the name where there is none.

    Raises:
        ValueError: a name or a title that cannot be had; nothing is written.
        OSError: a file cannot be read or written; all are as they were.
    """
    texts = {
        each: (root / each).read_text(encoding="utf-8")
        for each in (TOC, READING, QUESTIONS, PLAN)
    }
    chapter = _chapter(name, _parts(texts[TOC]))
    _refuse_what_exists(root, chapter, texts)
    title = _title(chapter, title)
    for file, template in zip(
        chapter.files, ("chapter.md", "chapter_exercises.py"), strict=True
    ):
        text = (root / "tools" / "chapters" / template).read_text(encoding="utf-8")
        texts[file] = text.replace("@TITLE@", title).replace("@NAME@", chapter.name)
    _enter(chapter, texts)
    _write({root / file: text for file, text in texts.items()})
    page, questions = chapter.files
    print(f"Made {page} and {questions}: a small chapter that runs.")
    print(f"Entered in {TOC}, {READING}, {QUESTIONS} and {PLAN}.")
    print(
        "Next: make it yours, section by section; add it to book/index.md; make book."
    )


def _parts(toc: str) -> dict[str, list[str]]:
    """Return the numbered chapters, by the folder that holds a part."""
    parts: dict[str, list[str]] = {}
    # by pattern, not by a YAML parser: nothing is installed yet
    for block in re.split(r"(?m)^  - ", toc)[1:]:
        pages = re.findall(r"(?m)^\s+- file: (\S+)", block)
        if re.search(r"(?m)^\s+numbered: true\s*$", block) and pages:
            parts[pages[0].split("/")[0]] = pages
    return parts


def _chapter(given: str, parts: dict[str, list[str]]) -> Chapter:
    """Parse part and name."""
    known = ", ".join(parts)
    example = "make new-chapter NAME=gan/wasserstein"
    if not given.strip():
        raise ValueError(
            f"NAME must be a part and a name, none came; say for example: {example} "
            f"(the parts are {known})"
        )
    part, _, name = given.partition("/")
    if not (_NAME.fullmatch(part) and _NAME.fullmatch(name)):
        raise ValueError(
            "NAME must be a part and a name of the letters a to z, digits and hyphens, "
            f"beginning with a letter, got {given!r}; say for example: {example}"
        )
    if part not in parts:
        raise ValueError(f"there is no part {part!r}; the parts are {known}")
    if len(name) > MOST_LETTERS:
        raise ValueError(
            f"a name has at most {MOST_LETTERS} letters, {name!r} has {len(name)}; "
            "shorten it: the title may say the rest, TITLE='…'"
        )
    return Chapter(part, name)


def _title(chapter: Chapter, given: str) -> str:
    title = given.strip() or chapter.name.replace("-", " ").capitalize()
    if len(title) > MOST_OF_A_TITLE or not _TITLE.fullmatch(title):
        raise ValueError(
            f"TITLE must be a line of at most {MOST_OF_A_TITLE} letters, digits, "
            f"spaces and plain punctuation, got {title!r}; a formula or markup can be "
            "put in afterwards"
        )
    return title


def _refuse_what_exists(root: Path, chapter: Chapter, texts: dict[str, str]) -> None:
    """Refuse a name that is taken, or that somebody began to use."""
    pages = re.findall(r"(?m)^\s*(?:root|- file): (\S+)", texts[TOC])
    for page in pages:
        # labels and modules have the name without the part
        if page != chapter.page and page.split("/")[-1] == chapter.name:
            raise ValueError(
                f"{chapter.name!r} is the name of the page {page}, and labels carry "
                "the name alone; choose another one"
            )
    page, questions = chapter.files
    there = {
        page: (root / page).exists(),
        questions: (root / questions).exists(),
        TOC: chapter.page in pages,
        READING: f'"{chapter.page}",' in texts[READING],
        QUESTIONS: f'"{chapter.module}",' in texts[QUESTIONS],
        PLAN: f"`ch-{chapter.name}`" in texts[PLAN],
    }
    if all(there.values()):
        raise ValueError(f"{chapter.page} exists already; edit {page}")
    if any(there.values()):
        found = ", ".join(file for file, is_there in there.items() if is_there)
        missing = ", ".join(file for file, is_there in there.items() if not is_there)
        raise ValueError(
            f"{chapter.page} is half made: found in {found}; missing in {missing}. "
            "Take it out where it was found, or choose another name"
        )


def _enter(chapter: Chapter, texts: dict[str, str]) -> None:
    """Enter the chapter after the last one of its part, in all lists."""
    last = Chapter(*_parts(texts[TOC])[chapter.part][-1].split("/"))
    _after(texts, TOC, rf"( *- file: ){last.page}\n", rf"\g<1>{chapter.page}\n")
    _after(texts, READING, rf'( +)"{last.page}",\n', rf'\g<1>"{chapter.page}",\n')
    # a line of its own, so that no line grows too long
    _after(texts, QUESTIONS, rf'"{last.module}",\n', f'    "{chapter.module}",\n')
    pages = chain.from_iterable(_parts(texts[TOC]).values())
    order = [page.split("/")[-1] for page in pages]
    texts[PLAN] = _planned(chapter, texts[PLAN], texts[chapter.files[0]], order)


def _after(texts: dict[str, str], file: str, found: str, added: str) -> None:
    """Add a line behind the line that ends so."""
    places = list(re.finditer(found, texts[file]))
    if len(places) != 1:
        raise ValueError(
            f"{file} must have one line that ends in {found!r}, the part's last "
            f"chapter, got {len(places)}; mend that file first"
        )
    end, line = places[0].end(), places[0].expand(added)
    texts[file] = texts[file][:end] + line + texts[file][end:]


def _planned(chapter: Chapter, plan: str, page: str, order: list[str]) -> str:
    """Return the course plan with the chapter among those that are in no week."""
    if plan.count(f"\n{_AFTERWARDS}\n") != 1:
        raise ValueError(
            f"{PLAN} must have the heading {_AFTERWARDS!r} once, before which further "
            "chapters are listed; mend that file first"
        )
    if f"\n{_BEYOND}\n" not in plan:
        new = f"{_BEYOND}\n\n{_LEAD}\n\n{_AFTERWARDS}"
        plan = plan.replace(_AFTERWARDS, new)
    head, mark, rest = plan.partition(f"\n{_BEYOND}\n")
    section, after, tail = rest.partition(f"\n{_AFTERWARDS}\n")
    lead, *listed = re.split(r"(?m)^(?=- )", section)
    listed = [item.rstrip() + "\n" for item in listed] + [_item(chapter, page)]

    def place(item: str) -> int:
        name = re.search(r"`ch-([\w-]+)`", item)
        return order.index(name[1]) if name and name[1] in order else len(order)

    section = lead.rstrip() + "\n\n" + "".join(sorted(listed, key=place))
    return head + mark + section + after + tail


def _item(chapter: Chapter, page: str) -> str:
    """Return the plan's line on a chapter and its exercises."""
    labels = re.findall(r"\{exercise\}.*\n:label: (\S+)", page)
    tasks = ",\n  ".join(f"{{ref}}`{label}`" for label in labels)
    return f"- {{ref}}`ch-{chapter.name}`:\n  {tasks}.\n"


def _write(texts: dict[Path, str]) -> None:
    """Write all files or none."""
    # kept in memory: what an error leaves half written is put back
    before = {path: path.read_bytes() if path.exists() else None for path in texts}
    try:
        for path, text in texts.items():
            write_whole(path, text)
    except BaseException:  # an interrupt, too, leaves nothing half made
        for path, old in before.items():
            if old is None:
                path.unlink(missing_ok=True)
            elif path.read_bytes() != old:
                path.write_bytes(old)
        raise
