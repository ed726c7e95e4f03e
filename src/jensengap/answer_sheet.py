"""A file of answers: written by a reader, verified by whoever collects it.

It holds labels, answers and a checksum: no name, no time, no place. The checksum finds
a file that was damaged or edited by hand; it is no seal, for whoever has this package
can make one. So verifying marks every answer anew, and believes no mark in the file.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from jensengap import exercises, marking

FORMAT = "jensengap answers 1"

# What this session has answered last, by label.
_answers: dict[str, Any] = {}


class Sheet(NamedTuple):
    """What a file of answers holds, each marked anew.

    Attributes:
        right: labels of the exercises answered rightly.
        wrong: labels of the others that were answered.
    """

    right: tuple[str, ...]
    wrong: tuple[str, ...]

    def __str__(self) -> str:
        """Say how many were answered, and how."""
        total = len(self.right) + len(self.wrong)
        wrong = f"; not right: {', '.join(self.wrong)}" if self.wrong else ""
        return f"{len(self.right)} of {total} answers are right{wrong}"


def note(mark: marking.Mark) -> None:
    """Keep an answer for the file; one that could not be read is none.

    Args:
        mark: of the answer; a later one of the same exercise takes its place.
    """
    if mark.given is not None:
        _answers[mark.label] = mark.given


def save(path: str | Path) -> Sheet:
    """Write this session's answers into a file, beside those that are in it.

    Args:
        path: of the file; chapters may share one.

    Returns:
        What the file holds now.

    Raises:
        ValueError: the file exists and is no sound file of answers; it stays as it is.
        OSError: it cannot be written.
    """
    path = Path(path)
    answers = (_read(path) if path.exists() else {}) | _answers
    body = {"format": FORMAT, "answers": dict(sorted(answers.items()))}
    text = json.dumps(
        body | {"checksum": _checksum(body)}, indent=1, ensure_ascii=False
    )
    beside = path.with_name(path.name + ".new")
    beside.write_text(text + "\n", encoding="utf-8")
    os.replace(beside, path)
    return _marked(answers)


def verify(path: str | Path) -> Sheet:
    """Read a file of answers and mark each of them.

    Args:
        path: of the file.

    Returns:
        What it holds.

    Raises:
        ValueError: it is missing, damaged, edited by hand, or made by another version.
    """
    return _marked(_read(Path(path)))


def _marked(answers: dict[str, Any]) -> Sheet:
    marks = [
        marking.judge(exercises.find(name), given) for name, given in answers.items()
    ]
    right = [mark.label for mark in marks if mark.state == marking.RIGHT]
    wrong = [mark.label for mark in marks if mark.state != marking.RIGHT]
    return Sheet(tuple(right), tuple(wrong))


def _checksum(body: dict[str, Any]) -> str:
    text = json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _read(path: Path) -> dict[str, Any]:
    """Return the answers of a sound file."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ValueError(
            f"{path}: wanted a file of answers, there is none; write one with "
            "check.save_answers"
        ) from None
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ValueError(
            f"{path}: wanted a file that check.save_answers wrote, and it cannot be "
            f"read ({error}); choose another name, or ask for the file again"
        ) from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ValueError(
            f"{path}: wanted the format {FORMAT!r}, got another; choose another name, "
            "or ask for a file that this version of the package wrote"
        )
    checksum = content.pop("checksum", None)
    if checksum != _checksum(content):
        raise ValueError(
            f"{path}: was changed after check.save_answers wrote it, its checksum does "
            "not fit; ask for the file as it was written, or answer again and save "
            "under another name"
        )
    answers = content.get("answers")
    try:
        if not isinstance(answers, dict):
            raise ValueError(f"answers are a {type(answers).__name__}")
        _marked(answers)
    except ValueError as error:
        raise ValueError(
            f"{path}: holds what this version cannot mark ({error}); use the version "
            "of the package that wrote it"
        ) from None
    return answers


def main(paths: Sequence[str]) -> int:
    """Verify files and print a line for each.

    Args:
        paths: of the files.

    Returns:
        The exit status: 0 where all files are sound.
    """
    if not paths:
        print("usage: python -m jensengap.answer_sheet answers.json …")
        return 2
    status = 0
    for path in paths:
        try:
            print(f"{path}: {verify(path)}")
        except ValueError as error:
            print(error)
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
