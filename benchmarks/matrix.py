"""How many of the test target's faults are caught: by the contract tests, and by Schemathesis alone.

    make matrix                      every fault, and the correct target on ten seeds, with hooks and without
    make matrix ARGS="--only NAME"   some of the faults (may be given again), and nothing else

Each fault gets a server of its own, fresh for each of the two tools, which run on it one after the other. A fault is
caught by the contract tests when a finding names a clause that the fault does break (tests/targets/expected.yaml says
which); by Schemathesis when it reports any failure at all. Exit status 1 when a fault is missed, or when the correct
target is found fault with.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.stop_when_caught import EXPECTED  # noqa: E402 - neither benchmarks nor tests are packages
from tests import forked  # noqa: E402 - as above
from tests.targets.faults import FAULTS  # noqa: E402 - as above
from tests.targets.server import OTHER, RICH, Target  # noqa: E402 - as above

BIN = Path(sys.executable).parent
SEEDS = range(10)
SLOWEST = 600
"""Seconds."""


@dataclass(frozen=True)
class Result:
    """What became of one fault.

    Attributes:
        clauses: the clauses that the contract tests found broken.
        caught: whether one of them is a clause that the fault breaks.
        alone: whether Schemathesis by itself found anything.
        seconds, seconds_alone: how long each took.
    """

    fault: str
    clauses: tuple[str, ...]
    caught: bool
    alone: bool
    seconds: float
    seconds_alone: float


def measure(fault: str, expected: str) -> Result:
    """Run both tools against a server with one fault."""
    started = time.monotonic()
    # once the clause is named, the rest of the run can be saved
    clauses = contract_tests(fault, "-p", "stop_when_caught", "--fuzz", "15", expected=expected)
    middle = time.monotonic()
    alone = schemathesis(fault)
    return Result(
        fault=fault,
        clauses=clauses,
        caught=_names(clauses, expected),
        alone=alone,
        seconds=middle - started,
        seconds_alone=time.monotonic() - middle,
    )


def _names(clauses: tuple[str, ...], expected: str) -> bool:
    return any(re.search(expected, clause) for clause in clauses)


def clean(seed: int, hooks: bool) -> tuple[str, ...]:
    """The clauses that the contract tests find broken on the correct server."""
    return contract_tests(None, "--seed", str(seed), hooks=hooks)


def contract_tests(fault: str | None, *options: str, hooks: bool = True, expected: str = "") -> tuple[str, ...]:
    """Run the contract tests against a fresh server; gives the clauses they find broken."""
    with Target(fault) as target, tempfile.TemporaryDirectory() as folder:
        words = [target.url, "--report", folder, "--strict", "--deadline", "5", *options]
        env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "benchmarks")]), EXPECTED: expected}
        if hooks:
            words += ["--hooks", str(ROOT / "tests" / "targets" / "hooks.py")]
        else:
            env |= {"CONTRACT_TESTS_KEY": RICH, "CONTRACT_TESTS_SECOND_KEY": OTHER}
        process = forked.start("contract_tests.cli", *words, folder=Path(folder), cwd=Path(folder), env=env)
        status = process.wait(SLOWEST)
        if status not in (0, 1):
            return (f"exit status {status}: {process.text()[-500:]}",)
        report = json.loads((Path(folder) / "report.json").read_text("utf-8"))
    return tuple(clause for finding in report["findings"] for clause in (finding["clause"], *finding["also"]))


def schemathesis(fault: str | None) -> bool:
    """Run Schemathesis alone against a fresh server; gives whether it finds anything."""
    with Target(fault) as target, tempfile.TemporaryDirectory() as folder:
        command = [str(BIN / "schemathesis"), "run", str(ROOT / "openapi.yaml"), "--url", target.url]
        command += ["--header", f"Authorization: Bearer {RICH}", "-n", "20", "--max-failures", "1", "--seed", "1"]
        done = subprocess.run(command, capture_output=True, check=False, timeout=SLOWEST, cwd=folder)
        return done.returncode != 0


def main() -> None:
    """Measure, and print the matrix."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", help="a fault to measure; all, if none is named")
    parser.add_argument("--jobs", type=int, default=2, help="how many to measure at a time")
    options = parser.parse_args()
    expected = yaml.safe_load((ROOT / "tests" / "targets" / "expected.yaml").read_text("utf-8"))
    names = options.only or list(FAULTS)
    runs = [] if options.only else [(seed, hooks) for hooks in (True, False) for seed in SEEDS]
    found_on_correct = []
    with ProcessPoolExecutor(options.jobs) as pool:
        results = []
        for result in pool.map(measure, names, [expected.get(name, "$^") for name in names]):
            results.append(result)
            print(_line(result), flush=True)
        for (seed, hooks), clauses in zip(runs, pool.map(clean, *zip(*runs, strict=True)) if runs else (), strict=True):
            found_on_correct += clauses
            with_hooks = "with hooks" if hooks else "without hooks"
            print(f"correct target, seed {seed}, {with_hooks}: {', '.join(clauses) or 'clean'}", flush=True)
    print(_table(results))
    if runs:
        print(f"\nThe correct target, {len(runs)} runs: {len(found_on_correct)} findings.")
    if found_on_correct or not all(result.caught for result in results):
        sys.exit(1)


def _line(result: Result) -> str:
    mark = "caught" if result.caught else "MISSED"
    alone = "also caught" if result.alone else "missed"
    found = ", ".join(result.clauses[:3])
    return (
        f"{mark} {result.fault:36} {result.seconds:5.1f} s   "
        f"Schemathesis alone: {alone:11} {result.seconds_alone:5.1f} s   {found}"
    )


def _table(results: list[Result]) -> str:
    rows = ["", "| group | faults | caught | by Schemathesis alone |", "| --- | ---: | ---: | ---: |"]
    groups = list(dict.fromkeys(fault.group for fault in FAULTS.values()))
    for group in (*groups, "all"):
        mine = [result for result in results if group in (FAULTS[result.fault].group, "all")]
        rows.append(
            f"| {group} | {len(mine)} | {sum(result.caught for result in mine)} | {sum(r.alone for r in mine)} |"
        )
    return "\n".join(rows)


if __name__ == "__main__":
    main()
