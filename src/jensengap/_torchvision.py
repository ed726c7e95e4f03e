"""Import torchvision beside a torch that its compiled operators do not match.

torchvision's wheel may be compiled for another build of torch than the one that is
installed (CUDA operators beside a CPU-only torch). Its library then does not load,
and ``import torchvision`` stops with ``operator torchvision::nms does not exist``,
although datasets, transforms and ``make_grid`` need no compiled operator at all.
Naming the two missing operators is enough for the import. They get a signature and
no kernel: to call one of them still fails.
"""

import importlib.util
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from types import ModuleType

import torch

_SIGNATURE = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
_OPERATORS = ("nms", "qnms")

# A Library takes its operators along when it is collected, so it is kept here.
_kept: list[torch.library.Library] = []


def load() -> ModuleType:
    """Import torchvision, naming its compiled operators first if they are missing.

    Where the compiled operators load, and where torchvision is imported already,
    this is a plain import.

    Returns:
        The module ``torchvision``.

    Raises:
        ModuleNotFoundError: torchvision is not installed.
    """
    if "torchvision" not in sys.modules and not _has_operators():
        _name_operators()
    import torchvision

    return torchvision


def _has_operators() -> bool:
    """Whether ``torchvision::nms`` exists, after an attempt to load its library."""
    spec = importlib.util.find_spec("torchvision")  # finds it, does not run it
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(
            "the full data sets need torchvision, which is not installed; "
            "run: pip install torchvision"
        )
    folder = Path(spec.origin).parent
    for library in (folder / f"_C{suffix}" for suffix in (*EXTENSION_SUFFIXES, ".so")):
        if library.exists():
            try:
                torch.ops.load_library(library)
            except (ImportError, OSError):
                continue  # built for another torch: the very case to cure
    return hasattr(torch.ops.torchvision, "nms")


def _name_operators() -> None:
    """Define the signatures of the missing operators, without kernels."""
    library = torch.library.Library("torchvision", "DEF")
    for name in _OPERATORS:
        library.define(f"{name}{_SIGNATURE}")
    _kept.append(library)
