"""What builds, prints and tests the book; `make` calls it, with any Python at first."""

import sys
from pathlib import Path

# The package's own modules that need nothing installed serve here too, before there is
# an environment that it is installed in.
sys.path.append(str(Path(__file__).resolve().parents[1] / "src"))
