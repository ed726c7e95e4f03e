"""Run tests and chapters with every seed moved, other threads, other instructions.

    make moved-seeds                  # all of it, for the night
    make moved-seeds ARGS="--quick"   # one move

A claim that holds by the luck of its seed, on one processor or with one number of
threads, is none.
"""

import subprocess
import sys

from jensengap.terminal import say
from tools.book.toc import ROOT
from tools.seeds.chapters import MOVES, Setting
from tools.seeds.chapters import main as run_chapters

# Where chance and rounding decide; the book's pages and the tools know neither.
FOLDERS = "subject data exercises markup fast live experiments"
TESTS = [f"tests/{name}" for name in FOLDERS.split()]
SETTINGS = [
    *(Setting(move, 1, "unset") for move in MOVES),
    Setting(MOVES[0], 2, "unset"),
    Setting(MOVES[0], 1, "default"),
    Setting(MOVES[0], 1, "avx2"),
]


def jobs(setting: Setting) -> str:
    """Return how many runs go at a time: two cores are shared by their threads."""
    return str(max(1, 2 // setting.threads))


def run_tests(setting: Setting) -> bool:
    """Run the tests under a setting; return whether all have passed."""
    say(f"\nTests with {setting}")
    command = [sys.executable, "-m", "pytest", "-q", "--dist", "worksteal"]
    command += ["-n", jobs(setting)]
    done = subprocess.run(
        [*command, "-m", "not nightly", *TESTS],
        cwd=ROOT,
        env=setting.variables(),
        check=False,
    )
    return done.returncode == 0


def main(words: list[str]) -> int:
    """Run all settings, one after another; return the process's exit status."""
    settings = SETTINGS[:1] if "--quick" in words else SETTINGS
    passed = [run_tests(setting) for setting in settings]
    for setting in settings:
        asked = ["--moves", str(setting.move), "--threads", str(setting.threads)]
        asked += ["--capability", setting.capability, "--jobs", jobs(setting)]
        say(f"\nChapters with {setting}")
        passed.append(run_chapters(asked) == 0)
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
