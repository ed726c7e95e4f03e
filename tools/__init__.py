"""Tools that build, print and test the book; `make` calls them, with any Python."""

import sys
from pathlib import Path

# The package's own modules that need nothing installed serve here too, before there is
# an environment that it is installed in.
sys.path.append(str(Path(__file__).resolve().parents[1] / "src"))
