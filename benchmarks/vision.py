"""torchvision's datasets and transforms for the peers, beside any build of torch.

torchvision's wheel from PyPI is compiled for a torch with CUDA. Beside a CPU build its
library does not load, and the import stops with "operator torchvision::nms does not
exist", although nothing that the peers use is compiled. A signature for the two
operators, without a kernel, is enough.
"""

import torch

try:
    import torchvision  # noqa: F401
except RuntimeError:
    # Kept: a Library takes its operators along when it is collected.
    _operators = torch.library.Library("torchvision", "DEF")
    for _name in ("nms", "qnms"):
        _operators.define(
            f"{_name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
        )
from torchvision import datasets, transforms

__all__ = ["datasets", "transforms"]
