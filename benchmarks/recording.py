"""What a whole bench has found, as the page of the book reads it."""

import json
import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.worker import THREADS
from jensengap.files import write_whole


def machine() -> dict[str, str | int]:
    """Describes this machine."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text("utf-8").splitlines() if info.exists() else []
    models = [line.split(":")[1].strip() for line in lines if "model name" in line]
    return {
        "processor": models[0] if models else platform.processor(),
        "architecture": platform.machine(),
        "cores": os.cpu_count() or 0,
        "system": platform.system(),
        "python": platform.python_version(),
    }


def versions(sections: dict[str, Any]) -> dict[str, str]:
    """Collects the versions that the peers of all sections named."""
    groups = [
        group for section in sections.values() for group in section.values()
        if isinstance(group, dict)
    ]  # fmt: skip
    return {
        name: number
        for group in groups
        for peer in group.values()
        if isinstance(peer, dict)
        for name, number in peer.get("versions", {}).items()
    }


def record(path: Path, **sections: dict[str, Any]) -> None:
    """Writes what was measured, whole or not at all.

    Args:
        path: of the file.
        **sections: training, evaluation, gan and time_to: plain values.
    """
    what = {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": machine(),
        "threads": THREADS,
        "versions": versions(sections),
        **sections,
    }
    write_whole(path, json.dumps(what, indent=1, allow_nan=False) + "\n")
