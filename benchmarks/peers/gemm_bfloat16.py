"""The ceiling in bfloat16: the same products of half as many bytes."""

from pathlib import Path

import torch

from benchmarks.peers import gemm_float32

DISTRIBUTIONS = gemm_float32.DISTRIBUTIONS


class Training(gemm_float32.Training):
    """The same products in bfloat16."""

    def __init__(self, folder: Path, seed: int) -> None:
        super().__init__(folder, seed, torch.bfloat16)
