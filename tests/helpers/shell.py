"""A notebook's kernel for a test: what a cell shows is caught, nothing stays."""

from collections.abc import Iterator
from contextlib import contextmanager

from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import CapturedIO, capture_output
from traitlets.config import Config


@contextmanager
def kernel(folder) -> Iterator[CapturedIO]:
    """Run the block as a cell; ``outputs`` of what is yielded is what it shows."""
    # no history: its database would stay open, and that is a warning
    config = Config({"HistoryManager": {"enabled": False}})
    InteractiveShell.instance(config=config, ipython_dir=str(folder))
    try:
        with capture_output() as cell:
            yield cell
    finally:
        InteractiveShell.clear_instance()
