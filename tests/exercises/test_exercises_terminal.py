"""Checking, marking and plotting print without error to terminals of few signs."""

import os
import subprocess
import sys

import pytest

from tools.book.toc import ROOT

PROGRAM = """
import matplotlib
matplotlib.use("Agg")
from matplotlib.figure import Figure
from jensengap import check, exercises, plot
from jensengap.divergences import Estimate

check.identity("eq-elbo-gap", -1.5, -1.5, case="σ² → 0 – Schölkopf’s")
check.bound("eq-elbo-jensen", -2.0, -1.0)
check.estimate("eq-a-b", Estimate(1.0, 0.5), 1.0, max_stderr=1.0)
check.refuses("eq-elbo-gap", 1.0, 2.0, 0.5, case="a “mistake”")
exercises.mark("ex-elbo-tight")
exercises.mark("ex-elbo-tight", "4½")
exercises.mark("ex-elbo-tight", "−4,5")
exercises.mark("ex-elbo-tight", "six √")
exercises.mark("ex-none-σ", 1.0)
exercises.hint("ex-training-bugs")
exercises.hint("ex-none-σ")
exercises.save_answers("Hyvärinen-字.json")
exercises.verify_answers("Hyvärinen-字.json")
exercises.verify_answers("none-字.json")
plot.show(Figure(), alt="The ELBO ≤ log p(x) at σ = ½, 字.")
print("done")
"""


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "latin-1", "utf-8"])
def test_what_a_reader_calls_prints_in_every_encoding(encoding, tmp_path):
    path = os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-X", "utf8=0", "-c", PROGRAM],
        env={**os.environ, "PYTHONIOENCODING": encoding, "PYTHONPATH": path},
        cwd=tmp_path,
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr.decode(encoding, "replace")
    lines = done.stdout.decode(encoding).splitlines()
    assert lines[-1] == "done"
    right = "✓" if encoding == "utf-8" else "ok"
    assert any(line.startswith(f"{right} ex-elbo-tight") for line in lines)
    assert (tmp_path / "Hyvärinen-字.json").exists()
