"""What is printed arrives at every terminal, in ASCII where it has no sign for it."""

import ast
import io
from pathlib import Path

import pytest

from jensengap import terminal

SRC = Path(terminal.__file__).parent


def written(encoding, *words):
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding)
    terminal.say(*words, file=file)
    file.flush()
    return raw.getvalue()


@pytest.mark.parametrize(
    "encoding", ["ascii", "cp1252", "latin-1", "cp437", "shift_jis"]
)
def test_every_sign_can_be_written_in_every_encoding(encoding):
    text = "".join(terminal.STAND_INS) + "字é"
    assert written(encoding, text).decode(encoding).endswith("\n")


def test_a_sign_that_the_terminal_knows_stays():
    assert written("utf-8", "✓ σ").decode() == "✓ σ\n"
    assert written("cp1252", "0.1 ± 0.2…").decode("cp1252") == "0.1 ± 0.2…\n"


def test_another_one_gets_its_stand_in_and_without_one_its_number():
    assert written("cp1252", "✓ σ ≤ −3") == b"ok sigma <= -3\n"
    assert written("ascii", "字") == b"\\u5b57\n"


def test_a_file_without_an_encoding_gets_the_text_as_it_is():
    file = io.StringIO()
    terminal.say("✓", 3, file=file)
    assert file.getvalue() == "✓ 3\n"


def test_stand_ins_are_ascii():
    assert all(text.isascii() for text in terminal.STAND_INS.values())


def test_nothing_in_the_package_prints_in_another_way():
    offenders = [
        f"{path.relative_to(SRC)}, line {node.lineno}"
        for path in SRC.rglob("*.py")
        if path.name != "terminal.py"
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Name) and node.id == "print"
    ]
    assert not offenders
