"""The table of a bench, in plain text: medians, ranges, ratios, and who is missing."""

from collections.abc import Mapping, Sequence

from benchmarks.results import Result, Spread, fastest, spread

HEADS = (
    "peer", "s/epoch", "first", "images/s", "of fastest", "of ceiling",
)  # fmt: skip
LAST = ("MB", "import, s")


def table(
    peers: Mapping[str, Result],
    ceilings: Mapping[str, Result],
    *,
    ours: tuple[str, ...],
    ceiling: str,
    epochs: Sequence[int],
) -> str:
    """Write the table.

    Args:
        peers: who trained.
        ceilings: who only multiplied.
        ours: names in ``peers`` that do not count for the fastest peer.
        ceiling: the name in ``ceilings`` that all are compared with.
        epochs: after which the ELBO was taken.

    Returns:
        Lines: the heads, the peers, the ceilings, and why a peer is missing.
    """
    best = fastest(peers, ours)
    marks = {
        "best": peers[best].rate if best else 0.0,
        "top": ceilings[ceiling].rate if ceiling in ceilings else 0.0,
    }
    heads = [*HEADS, *(f"ELBO {n}" for n in epochs), *LAST]
    rows = [
        [name, *_cells(result, epochs, **marks)]
        for group in (peers, ceilings)
        for name, result in group.items()
        if result.first
    ]
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    lines = [_line(row, widths) for row in (heads, *rows)]
    both = {**peers, **ceilings}
    lines += [f"{name}: {both[name].failed}" for name in both if both[name].failed]
    if best:
        lines.append(f"The fastest peer is {best}; the ceiling is {ceiling}.")
    lines.append("Each number is a median, its range over runs and epochs behind it.")
    return "\n".join(lines)


def simple(results: Mapping[str, Result], unit: str) -> str:
    """Write seconds, images a second and what was found, for each who took part."""
    heads = ["peer", f"s/{unit}", "images", "images/s", "found"]
    rows = [
        [
            name,
            _with_range(spread(each.seconds or each.first), ".2f"),
            f"{each.images:,}",
            f"{each.rate:,.1f}",
            _with_range(spread(each.scores), ".3f"),
        ]
        for name, each in results.items()
        if each.first
    ]
    return _lines(heads, rows, results)


def finish(results: Mapping[str, Result]) -> str:
    """Write how long each trained, and the ELBO it ended with."""
    heads = ["peer", "epochs", "seconds", "ELBO"]
    rows = [
        [
            name,
            str(len(each.elbo)),
            f"{sum(each.first) + sum(each.seconds):.1f}",
            f"{list(each.elbo.values())[-1][0]:.2f}" if each.elbo else "–",
        ]
        for name, each in results.items()
        if each.first
    ]
    return _lines(heads, rows, results)


def _lines(heads: list[str], rows: list[list[str]], results) -> str:
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    lines = [_line(row, widths) for row in (heads, *rows)]
    lines += [f"{name}: {each.failed}" for name, each in results.items() if each.failed]
    return "\n".join(lines)


def _cells(result: Result, epochs: Sequence[int], best: float, top: float) -> list[str]:
    return [
        _with_range(spread(result.seconds), ".2f"),
        _with_range(spread(result.first), ".2f"),
        f"{result.rate:,.0f}",
        f"{result.rate / best:.2f} ×" if best else "–",
        f"{result.rate / top:.0%}" if top else "–",
        *(_with_range(spread(result.elbo.get(str(n), [])), ".2f") for n in epochs),
        _with_range(spread(result.megabytes), ",.0f"),
        _with_range(spread(result.imported), ".2f"),
    ]


def _with_range(values: Spread | None, form: str) -> str:
    if values is None:
        return "–"
    middle, least, most = (format(value, form) for value in values)
    return middle if least == most else f"{middle} ({least} to {most})"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *rest = zip(cells, widths, strict=True)
    return "  ".join(
        [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in rest)]
    )
