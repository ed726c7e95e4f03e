"""Make the peers' environment with any Python, and run the bench in it."""

import subprocess
import sys

from benchmarks import installed
from benchmarks.worker import variables

if __name__ == "__main__":
    command = [str(installed.ensure()), "-m", "benchmarks.run", *sys.argv[1:]]
    try:
        sys.exit(subprocess.call(command, env=variables(), cwd=installed.ROOT))
    except KeyboardInterrupt:
        sys.exit("\nInterrupted; nothing was written down.")
