"""Save and verify files of a reader's answers, as JSON.

A file holds labels, answers and a checksum: no name, no time, no place. The checksum
finds a file that was damaged or edited by hand; it is no seal, for whoever has this
package can make one. So verifying marks every answer anew, and believes no mark in the
file.
"""

from __future__ import annotations

import errno
import glob
import hashlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from jensengap import files
from jensengap.exercises import chapters, marking
from jensengap.exercises.question import Question
from jensengap.terminal import say

FORMAT = "jensengap answers 1"

# What this session has answered last, by label; and of each file the labels whose
# answers went into it: another session may have changed them there since.
_answers: dict[str, Any] = {}
_written: dict[Path, set[str]] = {}

# What helps where a file cannot be written.
_CURES = {
    errno.ENOENT: "make its folder, or choose another name",
    errno.EISDIR: "it is a folder: add the name of a file to it",
    errno.ENOSPC: "make room on the disk, and save again",
    errno.EDQUOT: "make room on the disk, and save again",
    errno.ETIMEDOUT: "save again in a moment",
}


class Sheet(NamedTuple):
    """Contents of a file of answers, each marked anew.

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
    """Keep an answer for the file; skip one that could not be read.

    Args:
        mark: of the answer; a later one of the same exercise takes its place.
    """
    if mark.given is not None:
        _answers[mark.label] = mark.given
        for labels in _written.values():
            labels.discard(mark.label)


def save(path: str | Path) -> Sheet:
    """Write this session's answers into a file, beside those that are in it.

    Several kernels may save into one file at the same time, and no answer is lost; of
    two answers to one exercise the one that was given later stays. What cannot be
    saved now is saved the next time.

    Args:
        path: of the file; chapters may share one.

    Returns:
        What the file holds now.

    Raises:
        ValueError: the file exists and is no sound file of answers, and stays as it is;
            or it cannot be written.
    """
    try:
        # a link stays a link; RuntimeError: links in a circle, a home that is unknown
        path = Path(path).expanduser().resolve()
        path.exists()
    except (OSError, ValueError, RuntimeError) as error:
        raise ValueError(f"{path!r} is no name for a file: {error}") from None
    try:
        # read, merged and written by one kernel at a time
        with files.alone(path):
            answers = _merged(path)
            files.write_whole(path, _text(answers))
    except OSError as error:
        cure = _CURES.get(error.errno or 0, "choose another name, or another folder")
        raise ValueError(
            f"{path}: cannot be written ({error.strerror or error}); {cure}"
        ) from None
    _written[path] = set(_answers)
    return _marked(answers)


def _merged(path: Path) -> dict[str, Any]:
    """Join this session's answers with those of the file; the later of two stays."""
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, "Is a directory", str(path))
    if not path.exists():
        return dict(_answers)
    older = _written.get(path, set())
    fresh = {name: each for name, each in _answers.items() if name not in older}
    return _answers | _read(path) | fresh


def _text(answers: dict[str, Any]) -> str:
    body = {"format": FORMAT, "answers": dict(sorted(answers.items()))}
    whole = body | {"checksum": _checksum(body)}
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


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
    marks = [marking.judge(_question(name), given) for name, given in answers.items()]
    right = [mark.label for mark in marks if mark.state == marking.RIGHT]
    wrong = [mark.label for mark in marks if mark.state != marking.RIGHT]
    return Sheet(tuple(right), tuple(wrong))


def _question(name: str) -> Question:
    question = chapters.find(name)
    if question.label != name:  # in two spellings an exercise would count twice
        raise ValueError(f"{name!r} is no label, {question.label!r} is")
    return question


def _checksum(body: dict[str, Any]) -> str:
    # one spelling for one content, however the file was laid out
    text = json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _read(path: Path) -> dict[str, Any]:
    """Return the answers of a sound file."""
    try:
        # utf-8-sig: some editors begin a file with a byte-order mark
        content = json.loads(path.read_text(encoding="utf-8-sig"))
        answers = _sound(content)
    except FileNotFoundError:
        raise ValueError(
            f"{path}: wanted a file of answers, there is none; write one with "
            "exercises.save_answers"
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise ValueError(
            f"{path}: wanted a file as exercises.save_answers writes it, and {error}; "
            "ask for the file again, or choose another name"
        ) from None
    return answers


def _sound(content: Any) -> dict[str, Any]:
    """Return the answers of a file's content; the error says what it is instead."""
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ValueError(f"this one has not the format {FORMAT!r}")
    if "checksum" not in content:
        raise ValueError("this one has no checksum")
    body = {name: part for name, part in content.items() if name != "checksum"}
    if content["checksum"] != _checksum(body):
        raise ValueError("this one was changed afterwards, its checksum does not fit")
    answers = body.get("answers")
    if not isinstance(answers, dict):
        raise ValueError("this one has no answers by label")
    # what no marking could read is refused here, with the file
    _marked(answers)
    return answers


def main(paths: Sequence[str]) -> int:
    """Verify files and print a line for each.

    Args:
        paths: of the files.

    Returns:
        The exit status: 0 where all files are sound.
    """
    if not paths or paths[0] in ("-h", "--help"):
        say("usage: python -m jensengap.exercises.sheet answers.json …")
        return 2
    status = 0
    # where the shell has not done it: a pattern stands for the files that fit it
    found = [name for path in paths for name in sorted(glob.glob(path)) or [path]]
    for path in found:
        try:
            say(f"{path}: {verify(path)}")
        except ValueError as error:
            say(error)
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
