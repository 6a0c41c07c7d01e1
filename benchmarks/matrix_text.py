"""The matrix as a table for a terminal or as Markdown, with a summary per tool."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from benchmarks.answers import OURS, Answer, Kind
from benchmarks.rows import Row, Told
from hvrescue.core import units

Table = tuple[tuple[str, ...], list[tuple[str, ...]]]
_NOTES = (
    "found: hvrescue has a finding of weight warning or worse; a peer refuses or complains. A complaint that a peer "
    "makes about the same disk undamaged is no finding.",
    "located: a finding points into the bytes that were damaged. -: nothing need be found; (yes): it is found.",
    "hvrescue's bytes are those of reading with --allow-damaged; without it, a disk with unknown bytes is refused. "
    "Wrong bytes that are flagged lie where the truth is lost, unless OUTSIDE is said.",
    "WRONG, silent: bytes that are not the guest's, without a word. short, silent: the rest is left out without a "
    "word. *: the peer does not read this kind of disk right when it is undamaged either. Running into the time "
    "limit counts as refused; 7-Zip is not asked about disks over 128 MiB, qemu-img about disks over 9 GiB.",
    "qemu-img is asked to check and to convert. A disk whose log waits to be replayed it refuses, whole or not: it "
    "wants check -r first, which writes to the disk.",
    "whole guest right: every byte, with or without a complaint. hvrescue refuses more than some peers do: what two "
    "structures contradict it does not hand out.",
)


def plain(rows: Sequence[Row], versions: Sequence[str]) -> list[str]:
    """For a terminal."""
    lines = ["corruption matrix: " + ", ".join(versions), ""]
    for title, table in _tables(rows):
        lines += [title, *_aligned(table), ""]
    lines += _NOTES
    return lines


def markdown(rows: Sequence[Row], versions: Sequence[str]) -> list[str]:
    """For a file."""
    lines = [
        "# Corruption matrix",
        "",
        "Made by `scripts/bench matrix --quick --peers --markdown`. " + ", ".join(versions) + ".",
        "Disks with known truth, built byte by byte by `tests/strangers`, each damaged in one way.",
        "",
    ]
    for title, (head, body) in _tables(rows):
        lines += [f"## {title}", "", _bar(head), _bar(["---"] * len(head)), *(_bar(row) for row in body), ""]
    return [*lines, "## How to read it", "", *(f"- {note}" for note in _NOTES)]


def _bar(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _aligned(table: Table) -> list[str]:
    head, body = table
    widths = [max(len(row[n]) for row in (head, *body)) for n in range(len(head))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in (head, *body)]  # fmt: skip


def _tables(rows: Sequence[Row]) -> Iterator[tuple[str, Table]]:
    damaged = [row for row in rows if not row.healthy]
    healthy = [row for row in rows if row.healthy]
    tools = list(rows[0].told)
    if damaged:
        yield f"Summary: {_count(damaged)}", _summary_damaged(damaged, tools)
    if healthy:
        yield f"Summary: whole disks: {len(healthy)}", _summary_healthy(healthy, tools)
    for format in ("vhdx", "vhd"):
        part = [row for row in damaged if row.format == format]
        if part:
            yield f"Damages to {format.upper()}", _damages(part, tools)
    hidden: list[tuple[str, ...]] = [(f"{row.format} {row.name}", row.reason) for row in damaged if row.reason]
    if hidden:
        yield "Damages that nobody can tell", (("damage", "why"), hidden)
    odd = [row for row in healthy if any(_odd(told.answer) for tool in tools for told in row.told[tool])]
    if odd:
        yield "Whole disks that some tool does not read right and without complaint", _wholes(odd, tools)


def _count(damaged: Sequence[Row]) -> str:
    disks = sum(row.variants for row in damaged)
    return f"damages: {len(damaged)}, disks with one of them: {disks}"


def _odd(answer: Answer) -> bool:
    return answer.kind not in (Kind.RIGHT, Kind.NOT_ASKED) or answer.flagged


def _summary_damaged(damaged: Sequence[Row], tools: Sequence[str]) -> Table:
    head = (
        "tool",
        "found",
        "not found",
        "of a kind it does not read",
        "not asked",
        "whole guest right",
        "wrong bytes, silent",
        "wrong bytes, flagged",
        "short, silent",
        "wrong, silent, where nobody can tell",
    )
    body = []
    for tool in tools:
        everything = [told for row in damaged for told in row.told[tool]]
        told = [t for t in everything if t.answer.kind is not Kind.NOT_ASKED]
        asked = [t for t in told if t.asked]
        readable = [t for t in asked if t.reads_it]
        found = sum(t.found for t in readable)
        wrong = [t for t in told if t.answer.kind is Kind.WRONG]
        numbers = (
            found,
            len(readable) - found,
            len(asked) - len(readable),
            sum(t.asked for t in everything) - len(asked),
            sum(t.answer.kind is Kind.RIGHT for t in told),
            sum(not t.answer.flagged and t.detectable for t in wrong),
            sum(t.answer.flagged for t in wrong),
            sum(t.answer.kind is Kind.SHORT and t.answer.silent for t in told),
            sum(not t.answer.flagged and not t.detectable for t in wrong),
        )
        body.append((tool, *(str(number) for number in numbers)))
    return head, body


def _summary_healthy(healthy: Sequence[Row], tools: Sequence[str]) -> Table:
    head = ("tool", "right, no complaint", "right, false alarm", "refused", "wrong or short, silent",
            "wrong or short, flagged", "not asked")  # fmt: skip
    body = []
    for tool in tools:
        answers = [told.answer for row in healthy for told in row.told[tool]]
        bad = [a for a in answers if a.kind in (Kind.WRONG, Kind.SHORT)]
        numbers = (
            sum(a.kind is Kind.RIGHT and not a.flagged for a in answers),
            sum(a.kind is Kind.RIGHT and a.flagged for a in answers),
            sum(a.kind is Kind.REFUSED for a in answers),
            sum(a.silent for a in bad),
            sum(not a.silent for a in bad),
            sum(a.kind is Kind.NOT_ASKED for a in answers),
        )
        body.append((tool, *(str(number) for number in numbers)))
    return head, body


def _damages(rows: Sequence[Row], tools: Sequence[str]) -> Table:
    many = any(row.variants > 1 for row in rows)
    head = ("damage", *(["disks"] if many else []), "found", "located", "right", "wrong", "refused", *tools[1:])
    body = []
    for row in rows:
        told = row.told[OURS]
        cells = [row.name, *([str(row.variants)] if many else [])]
        cells += [_share(told, "found"), _share(told, "located"), *_bytes(told)]
        body.append((*cells, *(_folded(row.told[tool]) for tool in tools[1:])))
    return head, body


def _share(told: Sequence[Told], what: str) -> str:
    asked = [t for t in told if t.asked]
    if not asked:
        return "(yes)" if all(t.found and (what == "found" or t.answer.located) for t in told) else "-"
    count = sum(t.found if what == "found" else t.found and t.answer.located for t in asked)
    if count in (0, len(asked)):
        return "yes" if count else "NO"
    return f"{count} of {len(asked)}"


def _bytes(told: Sequence[Told]) -> tuple[str, str, str]:
    """Right, wrong and refused bytes of all variants together."""
    right, refused = (units.size(sum(getattr(t.answer, name) for t in told)) for name in ("right", "refused"))
    silent = sum(t.answer.wrong for t in told if t.answer.silent)
    outside = sum(t.answer.wrong_outside_lost for t in told if not t.answer.silent)
    flagged = sum(t.answer.wrong for t in told if not t.answer.silent) - outside
    words = [f"{units.size(count)} {word}" for count, word in
             ((silent, "SILENT"), (outside, "OUTSIDE, flagged"), (flagged, "flagged")) if count]  # fmt: skip
    return right, ", ".join(words) or "0", refused


def _wholes(rows: Sequence[Row], tools: Sequence[str]) -> Table:
    body = [(f"{row.format} {row.name.partition('healthy-')[2]}", *(_folded(row.told[t], whole=True) for t in tools))
            for row in rows]  # fmt: skip
    return ("disk", *tools), body


def _folded(told: Sequence[Told], *, whole: bool = False) -> str:
    """The answers of all variants in one cell, the worst first; a count before what not all have in common."""
    kinds = Counter(_word(t, whole) for t in told)
    wrong: Counter[str] = Counter()
    for t in told:
        wrong[_word(t, whole)] = max(wrong[_word(t, whole)], t.answer.wrong)
    order = sorted(kinds, key=lambda word: (list(Kind).index(Kind(_bare(word))), word))
    cells = []
    for word in order:
        count = f"{kinds[word]} x " if len(kinds) > 1 else ""
        size = f" {units.size(wrong[word])}" if wrong[word] else ""
        bare = _bare(word)
        cells.append(f"{count}{bare}{size}{word[len(bare) :]}")
    return "; ".join(cells)


def _word(told: Told, whole: bool) -> str:
    answer = told.answer
    if answer.kind is Kind.NOT_ASKED:
        return answer.kind.value
    star = "" if whole or told.reads_it or answer.kind is Kind.RIGHT else " *"
    if answer.kind is Kind.REFUSED:
        return answer.kind.value + star
    if answer.kind is Kind.RIGHT and not answer.flagged:
        return answer.kind.value
    return f"{answer.kind.value}{', flagged' if answer.flagged else ', silent'}{star}"


def _bare(word: str) -> str:
    return word.partition(",")[0].removesuffix(" *")
