"""`make bench`: every figure of the goals in one table."""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from bot.bench import ack, databases, life, past
from bot.bench.table import Figure, as_json, as_text


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured."""

    doors: ack.Size
    whole: ack.Size
    past: int
    rounds: int
    mixed: int
    starts: int


DEFAULT = Sizes(
    ack.Size(sequential=60, paced=150, flat_out=800, rounds=3),
    ack.Size(sequential=60, paced=200, flat_out=0, rounds=3),
    past=200_000,
    rounds=9,
    mixed=20_000,
    starts=7,
)
QUICK = Sizes(
    ack.Size(sequential=50, paced=50, flat_out=400, rounds=3),
    ack.Size(sequential=50, paced=50, flat_out=0, rounds=2),
    past=10_000,
    rounds=5,
    mixed=2_000,
    starts=3,
)
FULL = replace(DEFAULT, past=1_000_000, rounds=15, mixed=100_000)
SHORT_PAST = 1_000


@dataclass(slots=True)
class Bench:
    """Runs the parts in turn and keeps what they found."""

    sizes: Sizes
    directory: Path
    figures: list[Figure] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    async def run(self, parts: Sequence[str]) -> None:
        parted = {
            "ack": self._ack,
            "past": self._past,
            "memory": self._memory,
            "start": self._start,
        }
        for name, part in parted.items():
            if parts and name not in parts:
                continue
            began, known = time.monotonic(), len(self.figures)
            await part()
            print(as_text(self.figures[known:]), file=sys.stderr, flush=True)
            self._remark(f"{name}: {time.monotonic() - began:.0f} s")

    async def _ack(self) -> None:
        directory = self._folder("ack")
        whole = databases.sqlite(directory, "whole")
        self.figures += await ack.whole(directory, whole, self.sizes.whole)
        async with databases.postgres(directory, "door") as urls:
            own = {"SQLite": databases.sqlite(directory, "door"), "Postgres": urls[0]}
            self.figures += await ack.doors(directory, own, self.sizes.doors)

    async def _past(self) -> None:
        directory, sizes = self._folder("past"), (SHORT_PAST, self.sizes.past)
        async with databases.postgres(directory, "short", "long") as urls:
            both = databases.sqlite(directory, "short"), databases.sqlite(directory, "long")
            for name, pair in (("SQLite", both), ("Postgres", (urls[0], urls[1]))):
                figures, scans = await past.compare(directory, name, pair, sizes, self.sizes.rounds)
                self.figures += figures
                self.remarks += [f"{name} scans: {scan}" for scan in scans]
        self._remark(f"the past: {sizes[1]:,} finished deployments against {sizes[0]:,}")

    async def _memory(self) -> None:
        self.figures += await life.memory(self._folder("memory"), self.sizes.mixed)

    async def _start(self) -> None:
        self.figures += await life.start(self._folder("start"), self.sizes.starts)

    def _folder(self, name: str) -> Path:
        folder = self.directory / name
        folder.mkdir()
        return folder

    def _remark(self, text: str) -> None:
        self.remarks.append(text)
        print(text, file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bot.bench", description=__doc__)
    parser.add_argument("parts", nargs="*", help="ack, past, memory, start; all if left out")
    parser.add_argument("--quick", action="store_true", help="less of everything, a minute")
    parser.add_argument("--full", action="store_true", help="a past of a million, half an hour")
    parser.add_argument("--json", action="store_true", help="for another program to read")
    arguments = parser.parse_args()
    sizes = QUICK if arguments.quick else FULL if arguments.full else DEFAULT
    with tempfile.TemporaryDirectory(prefix="pilothouse-bench-", ignore_cleanup_errors=True) as at:
        bench = Bench(sizes, Path(at))
        bench.remarks.append(_machine("before"))
        asyncio.run(bench.run(arguments.parts))
        bench.remarks.append(_machine("after"))
    if arguments.json:
        print(as_json(bench.figures, bench.remarks))
        return
    print(as_text(bench.figures))
    print("\n" + "\n".join(bench.remarks))


def _machine(when: str) -> str:
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return f"{when}: {os.cpu_count()} cores, load {load}"


if __name__ == "__main__":
    main()
