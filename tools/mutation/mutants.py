"""Test by mutation: break the package on purpose, and ask whether a test notices.

mutmut writes every changed version of a function beside it and switches between them
at run time, so that torch is imported once and a mutant costs a fork of the process.
What it changes, and by which tests it judges, stands in pyproject.toml. It leaves
properties and all other decorated functions as they are, but for class methods and
static ones: in the modules that are mutated, torch.no_grad() is a block, and in the
copy inputs.checked is a call below the function.
"""

import os
import shutil
import subprocess
import sys
import time
import tomllib
from pathlib import Path

from jensengap.terminal import say
from tools.mutation.survivors import (
    Change,
    Mutant,
    changed_lines,
    faults,
    read_reasons,
    table,
)
from tools.mutation.undecorated import undecorated

ROOT = Path(__file__).resolve().parents[2]
REASONS = ROOT / "tests" / "tools" / "survivors.toml"
STAGE = ROOT / "_build" / "mutants"
NUM_WORKERS = 2
# mutmut's words for a failing test, for too much time and for a crash. All others, such
# as "suspicious", may be our own fault and are no kill.
KILLED = ("killed", "timeout", "segfault")


def mutated_modules() -> dict[str, str]:
    """Name the modules that are mutated, as pyproject.toml has them.

    Returns:
        Their names in full, by their last word.
    """
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    paths = [Path(path) for path in settings["tool"]["mutmut"]["only_mutate"]]
    return {path.stem: ".".join(path.with_suffix("").parts[1:]) for path in paths}


def stage() -> None:
    """Copy what is mutated: work here goes on, and does not disturb the run."""
    shutil.rmtree(STAGE, ignore_errors=True)
    for folder in ("src", "tests", "tools"):
        litter = shutil.ignore_patterns("__pycache__", "*.egg-info")
        shutil.copytree(ROOT / folder, STAGE / folder, ignore=litter)
    shutil.copy(ROOT / "pyproject.toml", STAGE)
    for name in mutated_modules().values():
        module = (STAGE / "src").joinpath(*name.split(".")).with_suffix(".py")
        source = module.read_text(encoding="utf-8")
        module.write_text(undecorated(source), encoding="utf-8")


def mutmut(*words: str, log: Path | None = None) -> str:
    """Run mutmut on the copy.

    Args:
        words: of its command line.
        log: gets what it says, where that is not asked for.

    Returns:
        What it says.

    Raises:
        SystemExit: it gives up.
    """
    command = [sys.executable, "-m", "mutmut", *words]
    # no plugin is needed, and each would start again with every mutant
    env = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(
        command, cwd=STAGE, env=env, text=True, stdout=subprocess.PIPE, check=False
    )
    if log:
        log.write_text(done.stdout, encoding="utf-8")
    if done.returncode:
        last = done.stdout.strip().splitlines()[-1:]
        raise SystemExit(f"mutmut gave up: {last}. Do the tests pass? See {log}.")
    return done.stdout


def judged(modules: dict[str, str]) -> list[Mutant]:
    """Read how the mutants of some modules ended; a living one with its change."""
    mutants = []
    for line in mutmut("results", "--all", "True").splitlines():
        name, _, end = line.strip().rpartition(": ")
        path, _, function = name.partition("__mutmut_")[0].rpartition(".")
        module = path.rpartition(".")[2]
        if modules.get(module) != path:
            continue
        # module.x_function, or module.xǁClassǁmethod
        where = ".".join([module, *function[2:].split("ǁ")])
        killed = end in KILLED
        lines = ("", "") if killed else changed_lines(mutmut("show", name))
        mutants.append(Mutant(Change(where, *lines), "killed" if killed else end))
    return mutants


def main(chosen: list[str]) -> None:
    """Print the table and the faults.

    Raises:
        SystemExit: there are faults, or a name is none of a module that is mutated.
    """
    known = mutated_modules()
    if set(chosen) - set(known):
        raise SystemExit(f"wanted some of {', '.join(known)}; got {' '.join(chosen)}")
    modules = {name: known[name] for name in chosen or known}
    reasons = read_reasons(REASONS)
    start = time.monotonic()
    say(f"Breaking {', '.join(modules)}; all take about ten minutes.")
    stage()
    names = [f"{path}.*" for path in modules.values()]
    words = ["run", "--max-children", str(NUM_WORKERS), *names]
    mutmut(*words, log=STAGE / "mutmut.log")
    mutants = judged(modules)
    say(table(mutants, reasons, list(modules)))
    say(f"in {time.monotonic() - start:.0f} s, on {NUM_WORKERS} cores")
    found = list(faults(mutants, reasons, list(modules)))
    say("\n".join(found) or "Every survivor is explained.")
    sys.exit(bool(found))


if __name__ == "__main__":
    main(sys.argv[1:])
