"""A new chapter runs and passes at once; one that cannot be made leaves no trace."""

import os
import re
import shutil
import subprocess
import sys

import nbformat
import pytest

from jensengap import exercises
from jensengap.check import MIME
from jensengap.exercises import marking
from tools.book import environment
from tools.book.toc import ROOT, chapters
from tools.chapters import new_chapter
from tools.chapters.new_chapter import PLAN, QUESTIONS, READING, TOC

LEFT_OUT = (".git", ".venv", "_build", "__pycache__", ".*_cache", ".hypothesis")
# One in each part: a plain name, the longest, and one with a digit.
NAMES = (
    "likelihood/plain",
    "vae/a-name-of-as-many-letters-as-may",
    "gan/part-2",
)
STATIC = [
    *(
        f"tests/book/test_{name}.py"
        for name in ("chapters", "typed_numbers", "course_plan", "glossary")
    ),
    "tests/book/test_references.py",
    "tests/book/test_every_exercise.py",
    "tests/test_layers.py",
]
# These read the built site, or what the build executed; the tree was never built.
NEED_THE_BUILD = ("asks_first_and_its_solution_passes", "page_of_references_links_it")
EXECUTE = """
import sys, pathlib, jupytext
from tools.book import execute
path, made = map(pathlib.Path, sys.argv[1:])
notebook = jupytext.read(path)
result, _ = execute.run_through(notebook, path.parent)
jupytext.write(notebook, made)
sys.exit(result.exc_string if result.err else 0)
"""


def variables(root):
    """Return the environment of the build, with the modules of another tree."""
    kept = environment.clean_variables(root)
    path = os.pathsep.join(str(root / folder) for folder in ("src", ""))
    kept = {k: v for k, v in kept.items() if not k.startswith(("PYTEST_", "MAKE"))}
    return kept | {"PYTHONPATH": path}


def run(root, *command, **more):
    return subprocess.run(
        [*map(str, command)],
        cwd=root,
        env=variables(root) | more,
        capture_output=True,
        text=True,
        check=False,
    )


def make(root, *words, **more):
    return run(root, "make", "new-chapter", f"PYTHON={sys.executable}", *words, **more)


def files(root):
    """Return what stands in a tree; the lock of the Makefile is no part of it."""
    paths = (path for path in root.rglob("*") if path.is_file())
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in paths
        if path.name != ".make.lock" and "__pycache__" not in path.parts
    }


@pytest.fixture(scope="module")
def grown(tmp_path_factory):
    """Copy the tree, and make a chapter in each part of it."""
    root = tmp_path_factory.mktemp("grown") / "book"
    shutil.copytree(ROOT, root, ignore=shutil.ignore_patterns(*LEFT_OUT))
    said = [make(root, f"NAME={name}") for name in NAMES]
    assert [each.returncode for each in said] == [0, 0, 0], said[-1].stderr
    return root, [each.stdout for each in said]


@pytest.fixture
def tree(tmp_path):
    """Copy what `make new-chapter` reads, and nothing else."""
    root = tmp_path / "book"
    shutil.copytree(ROOT / "tools", root / "tools", ignore=lambda *_: ["__pycache__"])
    for file in (TOC, PLAN, READING, QUESTIONS, "Makefile"):
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, root / file)
    for part in ("likelihood", "vae", "gan"):
        (root / "book" / part).mkdir()
    return root


def test_new_chapters_pass_the_static_tests(grown):
    # nor again what is only about a chapter that was there before
    left_out = [*NEED_THE_BUILD, *(page.split("/")[-1] for page in chapters())]
    words = ["-v", "-p", "no:xdist", "--color=no", "-k"]
    words += [f"not ({' or '.join(left_out)})", *STATIC]
    done = run(grown[0], sys.executable, "-m", "pytest", *words)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    for name in NAMES:
        label = f"ex-{name.split('/')[-1]}-by-hand"
        assert f"template_in_order[{name}] PASSED" in done.stdout
        assert f"wrong_answers_are_foreseen[{label}] PASSED" in done.stdout


def test_new_chapters_pass_lint(grown):
    root, _ = grown
    made = [new_chapter.Chapter(*name.split("/")).files for name in NAMES]
    code = [READING, QUESTIONS, *(questions for _, questions in made)]
    text = [PLAN, *(page for page, _ in made), *code]
    for words in (["ruff", "check"], ["ruff", "format", "--check"]):
        done = run(root, sys.executable, "-m", *words, *code)
        assert done.returncode == 0, done.stdout + done.stderr
    done = run(root, sys.executable, "-m", "codespell_lib", *text)
    assert done.returncode == 0, done.stdout


def test_a_new_chapter_runs_and_its_exercises_pass(grown, tmp_path):
    root, _ = grown
    page, made = root / "book" / f"{NAMES[1]}.md", tmp_path / "executed.ipynb"
    done = run(root, sys.executable, "-c", EXECUTE, page, made)
    assert done.returncode == 0, done.stderr[-3000:]
    outputs = [
        out.get("data", {})
        for cell in nbformat.read(made, 4).cells
        for out in cell.get("outputs", [])
    ]
    verdicts = [data[MIME] for data in outputs if MIME in data]
    assert verdicts
    assert all(verdict["ok"] for verdict in verdicts)
    states = [
        data[exercises.MIME]["state"] for data in outputs if exercises.MIME in data
    ]
    assert states == [marking.OPEN, marking.RIGHT] * 3
    assert any("image/png" in data for data in outputs)


def test_each_chapter_is_the_last_of_its_part(grown):
    before, after = chapters(), chapters(grown[0])
    assert [page for page in after if page not in NAMES] == before
    for name in NAMES:
        part = [page for page in after if page.split("/")[0] == name.split("/")[0]]
        assert part[-1] == name


def test_it_says_what_was_made_and_what_is_next(grown):
    for name, said in zip(NAMES, grown[1], strict=True):
        made, entered, following = said.splitlines()
        for file in new_chapter.Chapter(*name.split("/")).files:
            assert file in made
        assert all(file in entered for file in (TOC, READING, QUESTIONS, PLAN))
        assert following.startswith("Next: ")


def test_no_mark_of_the_template_is_left(grown):
    for name in NAMES:
        for file in new_chapter.Chapter(*name.split("/")).files:
            assert "@" not in (grown[0] / file).read_text("utf-8")


def test_a_second_chapter_of_a_part_follows_the_first_in_every_list(tree, capsys):
    for name in ("gan/zebra", "gan/ant", "vae/bee"):
        new_chapter.add_chapter(tree, name)
    order = ["bee", "zebra", "ant"]
    listed = {TOC: "/{}", READING: '/{}"', QUESTIONS: '"{}"', PLAN: "`ch-{}`"}
    for file, form in listed.items():
        text = (tree / file).read_text("utf-8")
        assert sorted(order, key=lambda name: text.index(form.format(name))) == order
    assert (tree / PLAN).read_text("utf-8").count("## Beyond the six weeks") == 1


def test_nothing_that_stood_there_is_lost(tree, capsys):
    before = files(tree)
    new_chapter.add_chapter(tree, "gan/ant")
    for file, old in before.items():
        lines = iter((tree / file).read_text("utf-8").splitlines())
        assert all(line in lines for line in old.decode().splitlines()), file


@pytest.mark.parametrize(
    ("words", "heading"),
    [
        ([], "Two words"),
        (["TITLE="], "Two words"),
        (["TITLE=Jensen's other gap: what, why?"], "Jensen's other gap: what, why?"),
        (["TITLE=The β-VAE’s price"], "The β-VAE’s price"),
    ],
)
def test_the_title_is_as_given_or_made_from_the_name(tree, words, heading):
    assert make(tree, "NAME=vae/two-words", *words).returncode == 0
    text = (tree / "book/vae/two-words.md").read_text("utf-8")
    assert f"\n(ch-two-words)=\n# {heading}\n" in text


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "none came; say for example: make new-chapter NAME=gan/wasserstein"),
        ("  ", "none came"),
        ("wasserstein", "a part and a name"),
        ("gan/", "a part and a name"),
        ("gan/Wasserstein", "letters a to z, digits and hyphens"),
        ("gan/a_b", "got 'gan/a_b'"),
        ("gan/../a", "got 'gan/../a'"),
        ("gan/a/b", "got 'gan/a/b'"),
        ("/gan/a", "got '/gan/a'"),
        ("gan/2nd", "beginning with a letter"),
        ("gan/a-", "got 'gan/a-'"),
        ("gan/a b", "got 'gan/a b'"),
        ("gan/a\n", r"got 'gan/a\n'"),
        ("gan/ä", "got 'gan/ä'"),
        ("flow/a", "no part 'flow'; the parts are likelihood, vae, gan"),
        ("appendix/a", "no part 'appendix'; the parts are likelihood, vae, gan"),
        ("gan/" + "a" * 33, "at most 32 letters"),
        ("gan/elbo", "'elbo' is the name of the page likelihood/elbo"),
        ("gan/ledger", "'ledger' is the name of the page appendix/ledger"),
        ("gan/index", "'index' is the name of the page index"),
        ("gan/minimax", "gan/minimax exists already; edit book/gan/minimax.md"),
    ],
)
def test_a_bad_name_gets_a_sentence_and_nothing_is_written(tree, name, said):
    for file in new_chapter.Chapter("gan", "minimax").files:
        (tree / file).write_text("made long ago", encoding="utf-8")
    before = files(tree)
    with pytest.raises(ValueError, match=re.escape(said)):
        new_chapter.add_chapter(tree, name)
    assert files(tree) == before


@pytest.mark.parametrize("title", ["a" * 49, '"', "a\\b", "*a*", "`a`", "a\nb", "a.5"])
def test_a_bad_title_gets_a_sentence_and_nothing_is_written(tree, title):
    before = files(tree)
    said = f"at most 48 letters, .* plain punctuation, got {re.escape(repr(title))}; "
    with pytest.raises(ValueError, match=said):
        new_chapter.add_chapter(tree, "gan/ant", title)
    assert files(tree) == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "NAME must be a part and a name, none came"),
        (["""NAME=gan/"';false"""], "letters a to z"),
        (["NAME=gan/a", "TITLE=\"'"], "plain punctuation"),
    ],
)
def test_make_hands_on_what_it_was_given_and_prints_the_sentence(tree, words, said):
    before = files(tree)
    done = make(tree, *words, NAME="of-the-computer")
    first, *rest = done.stderr.splitlines()
    assert said in first
    assert all(line.startswith("make") for line in rest)
    assert done.stdout == ""
    assert done.returncode != 0
    assert files(tree) == before


def test_the_exit_status_is_one(tree):
    done = run(tree, sys.executable, "-m", "tools.make", "new-chapter", "gan/A", "")
    assert done.returncode == 1


PIECES = (
    "book/gan/ant.md",
    "src/jensengap/exercises/chapters/ant.py",
    TOC,
    READING,
    QUESTIONS,
    PLAN,
)


@pytest.mark.parametrize("piece", PIECES)
def test_a_half_made_chapter_is_described_and_left_alone(tree, capsys, piece):
    clean = {file: (tree / file).read_bytes() for file in PIECES[2:]}
    new_chapter.add_chapter(tree, "gan/ant")
    for other in PIECES:
        if other in clean and other != piece:
            (tree / other).write_bytes(clean[other])
        elif other != piece:
            (tree / other).unlink()
    before = files(tree)
    found = rf"gan/ant is half made: found in {piece}; missing in .*\. Take it out"
    with pytest.raises(ValueError, match=found):
        new_chapter.add_chapter(tree, "gan/ant")
    assert files(tree) == before


@pytest.mark.parametrize("error", [OSError(28, "No space"), KeyboardInterrupt()])
@pytest.mark.parametrize("call", range(6))
def test_what_fails_midway_leaves_the_tree_as_it_was(tree, monkeypatch, call, error):
    before, calls, replace = files(tree), [], os.replace

    def failing(*paths):
        calls.append(paths)
        if len(calls) > call:
            raise error
        replace(*paths)

    monkeypatch.setattr(os, "replace", failing)
    with pytest.raises(type(error)):
        new_chapter.add_chapter(tree, "gan/ant")
    assert len(calls) == call + 1
    assert files(tree) == before


def test_a_file_that_is_not_there_is_named(tree):
    (tree / "tools" / "chapters" / "chapter.md").unlink()
    before = files(tree)
    done = make(tree, "NAME=gan/ant")
    assert "Nothing was made: " in done.stderr
    assert "tools/chapters/chapter.md, No such file" in done.stderr
    assert files(tree) == before


@pytest.mark.parametrize(
    ("file", "line"),
    [(READING, '"gan/bridges",'), (QUESTIONS, '"bridges",'), (PLAN, "yourself")],
)
def test_a_list_of_another_form_is_named(tree, file, line):
    text = (tree / file).read_text("utf-8")
    (tree / file).write_text(text.replace(line, line[1:]), encoding="utf-8")
    before = files(tree)
    with pytest.raises(ValueError, match=f"{file} must have .* mend that file first"):
        new_chapter.add_chapter(tree, "gan/ant")
    assert files(tree) == before
