"""torchvision imports beside any torch, and its own operators are left alone."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from jensengap import _torchvision

SOURCE = Path(_torchvision.__file__).parents[1]


def run(code, check=True):
    """Run code in a fresh interpreter, warnings as errors; its words and its status."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
    )
    assert done.returncode == 0 or not check, done.stderr
    return done.stdout.split(), done.returncode


def test_torchvision_imports_and_operators_are_named_only_where_they_are_missing():
    _, status = run("import torchvision", check=False)
    printed, _ = run(
        "import torch; from jensengap import _torchvision\n"
        "tv = _torchvision.load(); again = _torchvision.load()\n"
        "import torchvision.transforms.v2\n"
        "print(tv is again, hasattr(torch.ops.torchvision, 'nms'))\n"
        "print(len(_torchvision._kept))\n"
        "print(*tv.utils.make_grid(torch.rand(4, 1, 8, 8), padding=0).shape)"
    )
    named = "0" if status == 0 else "1"
    assert printed == ["True", "True", named, "3", "8", "32"]


def test_operators_that_exist_are_left_alone():
    kept, _ = run(
        "import torch\n"
        "library = torch.library.Library('torchvision', 'DEF')\n"
        "for name in ('nms', 'qnms'):\n"
        "    library.define(name + '(Tensor d, Tensor s, float t) -> Tensor')\n"
        "from jensengap import _torchvision\n"
        "_torchvision.load(); print(len(_torchvision._kept))"
    )
    assert kept == ["0"]


def test_without_torchvision_the_remedy_is_named(monkeypatch):
    monkeypatch.delitem(sys.modules, "torchvision", raising=False)
    monkeypatch.setattr(_torchvision.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match="pip install torchvision"):
        _torchvision.load()


def test_the_data_import_without_the_packages_that_hold_them():
    heavy, _ = run(
        "import torch, sys; before = set(sys.modules)\n"
        "import jensengap.data, jensengap.data.full\n"
        "new = {name.split('.')[0] for name in set(sys.modules) - before}\n"
        "print(*(new & {'sklearn', 'torchvision', 'mlxtend', 'pandas', 'matplotlib'}))"
    )
    assert heavy == []
