"""The result: rows with a bar each, as text for a terminal and for docs/benchmarks.md."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from measuring import Ratio, Subject, say

UNITS = {"cpu": "CPU s", "wall": "wall s", "rss": "peak MB"}


@dataclass(frozen=True)
class Row:
    work: str
    quantity: str
    reelpool: str
    peer: str
    other: str
    ratio: str
    bar: str
    passed: bool | None  # None: told for information

    @property
    def verdict(self) -> str:
        return {True: "PASS", False: "FAIL", None: ""}[self.passed]


@dataclass
class Table:
    rows: list[Row] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    @property
    def failures(self) -> int:
        return sum(row.passed is False for row in self.rows)

    def at_most(
        self, work: str, quantity: str, ours: Subject, theirs: Subject, limit: float | None, floor: float = 0,
    ) -> None:
        """Reelpool's cost as a part of the other's: at most `limit`.

        Where `floor`, the ratio that nothing built on the same libraries can go below, is above the limit, the bar is
        1.1 times the floor.
        """
        if limit is not None and floor > limit:
            bar = 1.1 * floor
            self._compare(
                work, quantity, ours, theirs, bar, "≤", lambda ratio: ratio <= bar, f"floor {floor:.3f}; ≤ {bar:.3f}")
        else:
            self._compare(work, quantity, ours, theirs, limit, "≤", lambda ratio: ratio <= limit)

    def times_less(self, work: str, quantity: str, ours: Subject, theirs: Subject, limit: float | None) -> None:
        """The other's cost in Reelpool's: at least `limit` times as much."""
        self._compare(work, quantity, ours, theirs, limit, "≥", lambda ratio: ratio >= limit)

    def _compare(
        self, work: str, quantity: str, ours: Subject, theirs: Subject, limit: float | None, sign: str,
        holds: Callable[[float], bool], bar: str | None = None,
    ) -> None:
        ratio = Ratio.of(ours, theirs, quantity, inverse=sign == "≥")
        self.rows.append(Row(
            work, UNITS[quantity], number(ours.median(quantity)), theirs.name, number(theirs.median(quantity)),
            f"{ratio}{'×' if sign == '≥' else ''}", bar or (f"{sign} {limit:.4g}" if limit else ""),
            None if limit is None else holds(ratio.median)))

    def fact(
        self, work: str, quantity: str, ours: str, peer: str, other: str, ratio: str, bar: str, passed: bool | None
    ) -> None:
        self.rows.append(Row(work, quantity, ours, peer, other, ratio, bar, passed))

    def skip(self, reason: str) -> None:
        self.skipped.append(reason)


def number(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


HEADINGS = ["Work", "Quantity", "Reelpool", "Compared with", "", "Ratio (range)", "Bar", "Verdict"]


def cells(row: Row) -> list[str]:
    return [row.work, row.quantity, row.reelpool, row.peer, row.other, row.ratio, row.bar, row.verdict]


def as_text(table: Table) -> str:
    lines = [HEADINGS, *map(cells, table.rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEADINGS))]
    text = "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines)
    return "\n".join([text, *(f"skipped: {reason}" for reason in table.skipped)])


def as_markdown(table: Table) -> str:
    """The work is named in the first of its rows only."""
    lines = ["| " + " | ".join(HEADINGS) + " |", "|" + "---|" * len(HEADINGS)]
    before = None
    for row in table.rows:
        work, *rest = cells(row)
        lines.append("| " + " | ".join([work if work != before else "", *rest]) + " |")
        before = work
    return "\n".join([*lines, "", *(f"Skipped: {reason}" for reason in table.skipped)]).rstrip()


def publish(table: Table, output: Path | None, page: Callable[[], str]) -> None:
    """Prints the table, writes its page if one is wanted, and says how many bars were missed."""
    print(as_text(table))
    if output:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(page())
        say(f"wrote {output}")
    say(f"{table.failures} of {sum(row.passed is not None for row in table.rows)} bars missed")
