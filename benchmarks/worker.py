"""The runner's side: one process for each peer, asked and answering in JSON lines."""

import json
import os
import selectors
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
THREADS = 2


class Failed(RuntimeError):
    """A peer cannot go on; the message is the reason, in one line."""


def variables(threads: int = THREADS) -> dict[str, str]:
    """Return the environment variables under which every peer works."""
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONHOME"}
    paths = [str(ROOT / "src"), str(ROOT), kept.get("PYTHONPATH", "")]
    number = str(threads)
    return kept | {
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "OMP_NUM_THREADS": number,
        "MKL_NUM_THREADS": number,
        "OPENBLAS_NUM_THREADS": number,
        "CUDA_VISIBLE_DEVICES": "",
        "JAX_PLATFORMS": "cpu",
        "JENSENGAP_QUIET": "1",
        "PYTHONNOUSERSITE": "1",
        "PYTHONUTF8": "1",
        "PYTHONHASHSEED": "0",
    }


class Worker:
    """A peer in a process of its own.

    Args:
        module: where the peer is.
        folder: of the digits.
        log: file for all that it prints.
        seed: of its training.
        threads: how many it may use.
        patience: seconds to wait for an answer.
    """

    def __init__(
        self,
        module: str,
        folder: Path,
        log: Path,
        *,
        seed: int = 0,
        threads: int = THREADS,
        patience: float = 600.0,
    ) -> None:
        self._patience = patience
        self._log = log
        self._threads = threads
        self._left = b""
        self._process: subprocess.Popen[bytes] | None = None
        asked = [sys.executable, "-m", "benchmarks.serve", module]
        self._command = [*asked, str(folder), str(seed)]

    def begin(self) -> dict[str, Any]:
        """Start the process; return what it says when it has imported the peer.

        Raises:
            Failed: the peer cannot be imported.
        """
        with self._log.open("wb") as words:
            self._process = subprocess.Popen(
                self._command,
                cwd=ROOT,
                env=variables(self._threads),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=words,
            )
        return self.hear()

    def ask(self, command: str) -> dict[str, Any]:
        """Send a command; return the answer.

        Raises:
            Failed: the peer said so, died, or gave no answer in time.
        """
        # what it said before it died is a better reason than that it is dead
        with suppress(BrokenPipeError):
            self._process.stdin.write(f"{command}\n".encode())
            self._process.stdin.flush()
        return self.hear()

    def hear(self) -> dict[str, Any]:
        """Wait for an answer and return it.

        Raises:
            Failed: the peer said so, died, or gave no answer in time.
        """
        line = self._line()
        try:
            answer = json.loads(line)
        except ValueError:
            raise Failed(f"wanted a line of JSON, got {line[:80]!r}") from None
        if "failed" in answer:
            raise Failed(" ".join(str(answer["failed"]).split()))
        return answer

    def end(self) -> None:
        """End the process, at work or not."""
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(BrokenPipeError):
                pipe.close()

    def _line(self) -> bytes:
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while b"\n" not in self._left:
                if not selector.select(self._patience):
                    raise Failed(f"no answer for {self._patience:g} s")
                more = os.read(self._process.stdout.fileno(), 65536)
                if not more:
                    raise Failed(self._last_words())
                self._left += more
        line, _, self._left = self._left.partition(b"\n")
        return line

    def _last_words(self) -> str:
        status = self._process.wait()
        how = f"killed by signal {-status}" if status < 0 else f"exit status {status}"
        words = self._log.read_text("utf-8", errors="replace").split("\n")
        said = next((line.strip() for line in reversed(words) if line.strip()), "")
        return f"it died ({how})" + (f": {said}" if said else "")
