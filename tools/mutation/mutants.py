"""Test by mutation: break the package on purpose, and ask whether a test notices.

mutmut writes every changed version of a function beside it and switches between them
at run time, so that torch is imported once and a mutant costs a fork of the process.
"""

import json
import os
import shutil
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mutmut import __main__ as mutmut
from mutmut.configuration import config
from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.state import state
from mutmut.workers.isolation import get_mutant_runner

from tools.mutation.mutmut_further import quick_tests_first, reach_decorated
from tools.mutation.survivors import (
    Change,
    Mutant,
    changed_lines,
    faults,
    read_reasons,
    table,
)

ROOT = Path(__file__).resolve().parents[2]
REASONS = ROOT / "tests" / "tools" / "survivors.toml"
STAGE = ROOT / "_build" / "mutants"
NUM_WORKERS = 2
# How pytest ends, or the signal that ends it: 24 for too much time, 11 for a crash.
# All else, such as an internal error, may be our own fault and is no kill.
ENDS = {0: "survived", 1: "killed", 33: "run by no test", -24: "killed", -11: "killed"}


def mutated_modules() -> list[str]:
    """Name the modules that are mutated, as pyproject.toml has them."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return [Path(path).stem for path in settings["tool"]["mutmut"]["only_mutate"]]


def stage() -> None:
    """Copy what is mutated: work here goes on, and does not disturb the run."""
    shutil.rmtree(STAGE, ignore_errors=True)
    for folder in ("src", "tests"):
        litter = shutil.ignore_patterns("__pycache__", "*.egg-info")
        shutil.copytree(ROOT / folder, STAGE / folder, ignore=litter)
    shutil.copy(ROOT / "pyproject.toml", STAGE)


def run(chosen: list[str], known: list[str]) -> list[Mutant]:
    """Make all mutants of the chosen modules, and have the modules' tests judge them.

    Args:
        chosen: modules to change.
        known: modules whose tests are run.

    Raises:
        SystemExit: the tests fail on the package as it is.
    """
    # mutmut works in the current folder
    os.chdir(STAGE)
    # The same check of shapes as in every test; --jaxtyping-packages would come too
    # late in a process that has torch and the package in memory.
    from jaxtyping import install_import_hook

    install_import_hook("jensengap", "beartype.beartype")
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    reach_decorated()
    quick_tests_first()
    config().only_mutate = [f"src/jensengap/{name}.py" for name in chosen]
    # a module's tests may be several files, test_nets_convolutions.py for example
    config().pytest_add_cli_args_test_selection = [
        str(path)
        for name in (*known, "properties")
        for path in sorted(Path("tests", "subject").glob(f"test_{name}*.py"))
    ]
    with _readable():
        mutmut.cli(["run", "--max-children", str(NUM_WORKERS)], standalone_mode=False)
    _control()
    return [mutant for name in chosen for mutant in _read(name)]


@contextmanager
def _readable() -> Iterator[None]:
    """Keep mutmut's running count, ten lines a second, off all but a terminal."""
    if sys.stdout.isatty():
        yield
        return
    shown, log = sys.__stdout__, STAGE / "mutmut.log"
    try:
        # both names of standard output: either may be written to
        with open(log, "w", encoding="utf-8") as sys.stdout:
            sys.__stdout__ = sys.stdout
            yield
    except SystemExit:
        words = log.read_text(encoding="utf-8").strip().splitlines()[-1]
        raise SystemExit(
            f"mutmut gave up: {words}. Do the tests pass? See make test; {log} has all "
            "that it said."
        ) from None
    finally:
        sys.stdout = sys.__stdout__ = shown


def _control() -> None:
    """Run the tests on the unchanged package in the very conditions of a mutant.

    Raises:
        SystemExit: one fails, so that it says nothing where it fails on a mutant.
    """
    runner = get_mutant_runner(1)
    runner.startup()
    tests = sorted(state().duration_by_test)
    runner.submit("none", tests, cpu_time_limit=600, estimated_time=60.0)
    end = runner.wait_for_result().exit_code
    runner.shutdown()
    if end != 0:
        raise SystemExit(f"The package as it is fails as well (exit code {end}).")


def _read(module: str) -> list[Mutant]:
    """Read how the mutants of one module ended."""
    path = Path(f"src/jensengap/{module}.py")
    record = json.loads(Path(f"mutants/{path}.meta").read_text(encoding="utf-8"))
    mutants = []
    for name, code in record["exit_code_by_key"].items():
        # module.x_function__mutmut_3, or module.xǁClassǁmethod__mutmut_3
        # the name that mutmut gave the function's version, taken apart
        words = name.rpartition(".")[2].partition("__mutmut_")[0][2:].split("ǁ")
        lines = changed_lines(get_diff_for_mutant(name, path=path))
        change = Change(".".join([module, *words]), *lines)
        mutants.append(Mutant(change, ENDS.get(code, f"exit code {code}")))
    return mutants


def main(chosen: list[str]) -> None:
    """Print the table and the faults.

    Raises:
        SystemExit: there are faults, or a name is none of a module that is mutated.
    """
    known = mutated_modules()
    if set(chosen) - set(known):
        raise SystemExit(f"wanted some of {', '.join(known)}; got {' '.join(chosen)}")
    chosen = chosen or known
    reasons = read_reasons(REASONS)
    start = time.monotonic()
    print(f"Breaking {', '.join(chosen)}; all take about ten minutes.", flush=True)
    stage()
    mutants = run(chosen, known)
    print(table(mutants, reasons, chosen))
    print(f"in {time.monotonic() - start:.0f} s, on {NUM_WORKERS} cores")
    found = list(faults(mutants, reasons, chosen))
    print("\n".join(found) or "Every survivor is explained.")
    sys.exit(bool(found))


if __name__ == "__main__":
    main(sys.argv[1:])
