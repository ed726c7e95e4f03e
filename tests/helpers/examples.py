"""Properties on examples that do not change from run to run, only with the source."""

from collections.abc import Callable

import hypothesis
from hypothesis.strategies import SearchStrategy

_SETTINGS = hypothesis.settings(
    derandomize=True, database=None, deadline=None, max_examples=60
)


def given(*strategies: SearchStrategy) -> Callable[[Callable], Callable]:
    """Run a test on examples that the strategies choose, as ``hypothesis.given``."""

    def decorate(test: Callable) -> Callable:
        return _SETTINGS(hypothesis.given(*strategies)(test))

    return decorate
