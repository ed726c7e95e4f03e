"""Reproduce one cell of table 1 of the IWAE paper, from the command line.

``python -m jensengap.experiments.reproduce iwae 5``

Trains and evaluates one network on the full MNIST, with a checkpoint every few minutes;
started again after a kill, it goes on and ends with the same result. ``torchrun -m
jensengap.experiments.reproduce iwae 5`` does the same on several processes or machines.
"""

from __future__ import annotations

import argparse
import os
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor

from jensengap import data
from jensengap.data import embedded, full
from jensengap.experiments import distributed, iwae_table
from jensengap.experiments.resumable import GRADIENTS, OPTIMIZERS, Settings
from jensengap.experiments.run import Run
from jensengap.terminal import say


def mnist(split: str) -> Tensor:
    """Read the pixels of the full MNIST, from your folder or downloaded.

    Args:
        split: "train" or "test".

    Returns:
        Grey levels, uint8, ``(n, 28, 28)``. They come from the folder that the
        environment variable ``JENSENGAP_DATA`` names, else from
        ``~/.cache/jensengap``; what is missing is downloaded.

    Raises:
        ValueError: the folder does not exist, there is neither a file nor a network or
            ``pooch`` to fetch it, or a file is truncated.
    """
    named = os.environ.get("JENSENGAP_DATA")
    root = Path(named or "~/.cache/jensengap").expanduser()
    if named and not root.is_dir():
        raise ValueError(
            f"JENSENGAP_DATA must name a folder, got {named!r}; put the files of "
            "MNIST into MNIST/raw below it, or make it, and they are downloaded"
        )
    try:
        return full.full_mnist(root, split).pixels
    except (RuntimeError, ConnectionError, ModuleNotFoundError) as error:
        raise ValueError(
            f"{error}. JENSENGAP_DATA may name another folder, and "
            "--digits embedded does without"
        ) from error


def digits(name: str, group: distributed.Group) -> tuple[Tensor, Tensor]:
    """Read training images in grey, and test images in black and white.

    The test images are binarised once, with a seed of their own: every run is judged
    on the same ones.

    Args:
        name: "full" or "embedded" (the book's 5,000, for a trial).
        group: on each machine one process looks first, so that one downloads.

    Returns:
        ``(n, 784)`` each, float32.

    Raises:
        ValueError: see :func:`mnist`.
    """
    both = []
    for split in ("train", "test"):
        # one process of a machine goes first and downloads; the others find the files
        if group.local_rank > 0:
            group.wait()
        each = mnist(split) if name == "full" else embedded.mnist_5k(split).pixels
        if group.local_rank == 0:
            group.wait()
        both.append(data.unit_pixels(each))
    return both[0], data.binarize(both[1], torch.Generator().manual_seed(0))


def parser() -> argparse.ArgumentParser:
    """Build the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m jensengap.experiments.reproduce",
        description="One cell of table 1 of Burda, Grosse and Salakhutdinov (2016).",
        epilog="JENSENGAP_DATA names the folder that holds MNIST/raw. On a machine of "
        "four GPUs: torchrun --nproc-per-node 4 "
        "-m jensengap.experiments.reproduce iwae 50",
    )
    add = parser.add_argument
    add("objective", choices=sorted(iwae_table.PAPER), help="what is maximised")
    add(
        "num_samples",
        metavar="k",
        type=int,
        help="samples of z for each image: 1, 5 and 50 in the paper",
    )
    add("--seed", type=int, default=0, help="of all chance")
    add(
        "--epochs",
        dest="num_epochs",
        type=int,
        default=100,
        help="passes over the training images",
    )
    add("--out", type=Path, default=Path("runs"), help="folder of the results")
    add("--batch-size", type=int, default=100, help="of all processes together")
    add("--max-rate", type=float, default=4e-3, help="learning rate at its peak")
    add("--warm-samples", type=int, default=1, help="k of the first passes")
    add("--warm-epochs", type=int, default=0, help="how many passes have that k")
    add(
        "--samples",
        dest="eval_samples",
        type=int,
        default=5000,
        help="importance samples a test image",
    )
    add(
        "--digits",
        choices=["full", "embedded"],
        default="full",
        help="all of MNIST, or the 5,000 of the book for a trial",
    )
    add("--device", choices=distributed.DEVICES, default="auto")
    add(
        "--matmul",
        choices=["highest", "high", "medium"],
        default="highest",
        help="of products in training; the evaluation has the highest",
    )
    add(
        "--optimizer",
        choices=[*OPTIMIZERS],
        default="adam",
        help="soap goes further in a step that costs more",
    )
    add(
        "--gradient",
        choices=GRADIENTS,
        default="plain",
        help="of the iwae's encoder; doubly means reparameterised twice",
    )
    add("--minutes", type=float, default=3.0, help="between two checkpoints")
    return parser


def reproduce(arguments: argparse.Namespace) -> str:
    """Train and evaluate what the command line asks for, or find it done.

    Args:
        arguments: as :func:`parser` reads them.

    Returns:
        A line that says what came of it, for the first process to print; for the
        others an empty one.

    Raises:
        ValueError: something in the arguments, the data or a checkpoint is wrong.
    """
    a = arguments
    settings = Settings(**{name: getattr(a, name) for name in Settings._fields})
    if find_spec("safetensors") is None:
        raise ValueError(
            "networks are written with safetensors, which is not installed; run: "
            "pip install safetensors"
        )
    # refused here, before any process waits for another
    distributed.divide(settings.batch_size)
    with distributed.join(a.device) as group:
        run = Run(settings, group, a.out, a.minutes)
        # the data are read only where there is something to train
        found = run.finished() or run.go(*digits(a.digits, group))
    if group.rank > 0:
        return ""
    paper = found["paper_nll"]
    return (
        f"{a.objective}, k = {a.num_samples}, seed {a.seed}: "
        f"test NLL {found['nll']:.2f} ± {found['nll_stderr']:.2f} nats"
        + ("" if paper is None else f" (paper {paper})")
        + f"; see {run.record}"
    )


def main(words: list[str] | None = None) -> None:
    """Run the command; say in a sentence what is wrong, if something is.

    Args:
        words: of the command line; this program's own if ``None``.

    Raises:
        SystemExit: with the sentence.
    """
    arguments = parser().parse_args(words)
    # Adam's moments of a weight without gradients sink below the least normal number,
    # where a processor is many times slower; before the first thread is started
    torch.set_flush_denormal(True)
    try:
        said = reproduce(arguments)
    except (ValueError, OSError, FloatingPointError) as error:
        raise SystemExit(f"jensengap.experiments.reproduce: {error}") from error
    if said:
        say(said)


if __name__ == "__main__":
    main()
