"""Binder opens chapters as notebooks and runs them, in two gigabytes of memory."""

import importlib
import re
import subprocess
import sys

import binder_lab
import jupytext
import nbformat
import pytest
import torch
import yaml
from binder_lab import ROOT
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from reading import APPENDICES, CHAPTERS, cells

# Of all chapters the one that holds most memory.
LARGEST = "likelihood/posterior-kl"
BYTES = 2e9


def plan(tree):
    """Ask repo2docker what it would do with a repository, as Binder asks it."""
    command = [sys.executable, "-m", "repo2docker", "--no-build", "--debug"]
    # Binder's user; without one it is ours, and root is refused.
    command += ["--user-id", "1000", "--user-name", "jovyan", str(tree)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    return binder_lab.copied(tmp_path_factory.mktemp("binder") / "tree")


@pytest.fixture(scope="module")
def settings():
    text = (ROOT / "binder" / "environment.yml").read_text(encoding="utf-8")
    return yaml.safe_load(text)


@pytest.fixture
def formulas(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "binder")
    yield importlib.import_module("formulas")
    sys.modules.pop("formulas")


def python(settings):
    (version,) = re.findall(r"python=([\d.]+)", " ".join(settings["dependencies"]))
    return version


def post_build():
    """Return what pip installs at last."""
    text = (ROOT / "binder" / "postBuild").read_text(encoding="utf-8")
    return dict(re.findall(r"([a-z-]+)==([\d.]+)", text))


def code(notebook):
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


STEPS = [
    'env update -p ${NB_PYTHON_PREFIX} --file "binder/environment.yml"',
    "src/ ${REPO_DIR}/",
    "USER ${NB_USER}",
    "RUN ./binder/postBuild",
    'ENV R2D_ENTRYPOINT="${REPO_DIR}/binder/start"',
    'CMD ["jupyter", "notebook"',
]


def test_binder_asks_conda_then_copies_the_book_then_runs_its_scripts(tree):
    said = plan(tree)
    at = [said.rfind(step) for step in STEPS]
    assert -1 not in at, f"{STEPS[at.index(-1)]} is not in the plan:\n{said}"
    assert at == sorted(at)
    assert "NB_ENVIRONMENT_FILE=/tmp/env/environment.lock" in said


@pytest.mark.parametrize("name", ["environment.yml", "postBuild", "start"])
def test_a_misnamed_file_drops_out_of_the_plan(tmp_path, name):
    folder = tmp_path / "binder"
    folder.mkdir()
    for file in ("environment.yml", "postBuild", "start"):
        (folder / (f"{file}.sh" if file == name else file)).write_bytes(
            (ROOT / "binder" / file).read_bytes()
        )
    said = plan(tmp_path)
    assert f"binder/{name}" not in said
    assert said.count("binder/")


def test_binder_has_a_python_that_the_package_supports(settings, tree):
    version = python(settings)
    assert f"Building conda environment for python={version}" in plan(tree)
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (wanted,) = re.findall(r'requires-python = "(.+)"', project)
    assert version in SpecifierSet(wanted)


def test_conda_brings_a_pytorch_without_cuda(settings):
    assert settings["channels"] == ["conda-forge"]
    names = [re.split("[=<> ]", each)[0] for each in settings["dependencies"]]
    assert "pytorch-cpu" in names


def test_binder_reads_chapters_with_the_books_own_jupytext():
    pins = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    own = {Requirement(pin).name: pin for pin in pins if pin and pin[0] != "#"}
    assert own["jupytext"] == f"jupytext=={post_build()['jupytext']}"


@pytest.mark.parametrize("page", [*CHAPTERS, *APPENDICES])
def test_a_chapter_that_knows_its_macros_has_the_same_cells(formulas, page):
    known = formulas.macros(ROOT)
    text = (ROOT / "book" / f"{page}.md").read_text(encoding="utf-8")
    notebook = jupytext.reads(formulas.told(text, known), fmt="md:myst")
    _, header, rest = notebook.cells[0].source.split("---\n", 2)
    assert yaml.safe_load(header) == {"math": known}
    assert rest.strip() == jupytext.reads(text, fmt="md:myst").cells[0].source.strip()
    assert code(notebook) == [cell.source for cell in cells(page)] != []


def test_every_macro_of_the_site_is_told_and_colours_stay_colours(formulas):
    known = formulas.macros(ROOT)
    assert known[r"\E"] == r"\mathbb{E}"
    assert known[r"\KL"] == r"\mathrm{KL}(#1\,\Vert\,#2)"
    assert known[r"\gap"] == rf"\textcolor{{{formulas.svg.GAP[1:]}}}{{#1}}"
    # KaTeX refuses classes.
    assert not [body for body in known.values() if r"\class" in body]


@pytest.mark.nightly  # makes an environment, and runs the largest chapter in it
@pytest.mark.skipif(sys.platform != "linux", reason="Binder is Linux, here is another")
def test_a_chapter_opens_by_its_link_and_runs_in_two_gigabytes(
    settings, tmp_path, request
):
    if torch.version.cuda:
        pytest.skip(
            "a PyTorch without CUDA is wanted, as on Binder, this one is for CUDA "
            f"{torch.version.cuda}: its memory says nothing about Binder, and nothing "
            'was tested; see "PyTorch without CUDA" in README.md'
        )
    home, environment = binder_lab.copied(tmp_path / "home"), tmp_path / "environment"
    binder_lab.install(home, environment, python(settings))
    with binder_lab.started(home, environment) as lab:
        path = f"book/{LARGEST}.md"
        viewers = lab.ask("lab/api/settings/@jupyterlab/docmanager-extension:plugin")
        default = viewers["schema"]["properties"]["defaultViewers"]["default"]
        assert default == {"markdown": "Jupytext Notebook"}

        notebook = lab.ask(f"api/contents/{path}?type=notebook")["content"]
        found = code(nbformat.from_dict(notebook))
        assert found == code(jupytext.read(home / path))

        kernel = {"name": notebook["metadata"]["kernelspec"]["name"]}
        session = {"path": path, "name": path, "type": "notebook", "kernel": kernel}
        session = lab.ask("api/sessions", session, method="POST")
        said = lab.run(
            session["kernel"]["id"],
            found,
            {
                "package": "check.__file__",
                "threads": "torch.get_num_threads()",
                "widgets": "__import__('jensengap.markup.widgets')"
                ".markup.widgets.wanted()",
            },
        )
        assert said["package"].strip("'").startswith(str(environment))
        assert (said["threads"], said["widgets"]) == ("1", "True")
        assert lab.most_memory() < BYTES

        lab.ask(f"api/sessions/{session['id']}", method="DELETE")
        opens_as_a_notebook(request.getfixturevalue("browser"), lab, path)


def opens_as_a_notebook(browser, lab, path):
    """Follow the link that leads to a chapter on Binder; its formulas are set."""
    page = browser.new_page(viewport={"width": 1280, "height": 4000})
    complaints = []
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(f"{lab.address}lab/tree/{path}?token={lab.token}")
    opened = page.locator(".jp-NotebookPanel, .jp-FileEditor, .jp-MarkdownViewer")
    opened.first.wait_for(timeout=90_000)
    assert "jp-NotebookPanel" in opened.first.get_attribute("class")
    # A colour that means something, which is a macro's.
    coloured = page.locator(".jp-NotebookPanel .katex [style*=color]")
    coloured.first.wait_for(timeout=60_000)
    # What is wrong with any formula of the chapter is said when it is read.
    assert not [said for said in complaints if re.search(r"at position \d", said)]
    assert page.locator(".jp-NotebookPanel .text-red-500").count() == 0
    # No question stands over the text.
    assert page.locator(".jp-Dialog, .Toastify__toast").count() == 0
    page.close()
