"""How many of the test target's faults are caught: by the contract tests, and by Schemathesis alone.

    make matrix                      every fault, and the correct target
    make matrix ARGS="--only NAME"   some of them (may be given again)

Each fault gets a server of its own, fresh for each of the two tools, which run on it one after the other. A fault is
caught by the contract tests when a finding names a clause that the fault does break (tests/targets/expected.yaml says
which); by Schemathesis when it reports any failure at all. Exit status 1 when a fault is missed, or when the correct
target is found fault with.
"""

from __future__ import annotations

import argparse
import json
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
sys.path.insert(0, str(ROOT / "tests"))

from targets.faults import FAULTS  # noqa: E402 - the tests are no package
from targets.server import RICH, Target  # noqa: E402

BIN = Path(sys.executable).parent
CORRECT = "(none)"
SLOWEST = 600


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
    name = None if fault == CORRECT else fault
    started = time.monotonic()
    clauses = _contract_tests(name)
    middle = time.monotonic()
    alone = _schemathesis(name)
    return Result(
        fault=fault,
        clauses=clauses,
        caught=any(re.search(expected, clause) for clause in clauses) if name else bool(clauses),
        alone=alone,
        seconds=middle - started,
        seconds_alone=time.monotonic() - middle,
    )


def _contract_tests(fault: str | None) -> tuple[str, ...]:
    hooks = ROOT / "tests" / "targets" / "hooks.py"
    with Target(fault) as target, tempfile.TemporaryDirectory() as folder:
        command = [str(BIN / "contract-tests"), target.url, "--hooks", str(hooks), "--report", folder, "--strict"]
        command += ["--deadline", "5", "--fuzz", "25"] + (["--maxfail", "4"] if fault else [])
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SLOWEST, cwd=folder)
        if done.returncode not in (0, 1):
            return (f"exit status {done.returncode}: {done.stdout[-300:]}{done.stderr[-300:]}",)
        report = json.loads((Path(folder) / "report.json").read_text("utf-8"))
    return tuple(clause for finding in report["findings"] for clause in (finding["clause"], *finding["also"]))


def _schemathesis(fault: str | None) -> bool:
    with Target(fault) as target, tempfile.TemporaryDirectory() as folder:
        command = [str(BIN / "schemathesis"), "run", str(ROOT / "openapi.yaml"), "--url", target.url]
        command += ["--header", f"Authorization: Bearer {RICH}", "-n", "50", "--max-failures", "1", "--seed", "1"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SLOWEST, cwd=folder)
    return done.returncode != 0


def main() -> None:
    """Measure, and print the matrix."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", help="a fault to measure; all, if none is named")
    parser.add_argument("--jobs", type=int, default=2, help="how many to measure at a time")
    options = parser.parse_args()
    expected = yaml.safe_load((ROOT / "tests" / "targets" / "expected.yaml").read_text("utf-8"))
    names = options.only or [CORRECT, *FAULTS]
    with ProcessPoolExecutor(options.jobs) as pool:
        results = []
        for result in pool.map(measure, names, [expected.get(name, "$^") for name in names]):
            results.append(result)
            print(_line(result), flush=True)
    faults = [result for result in results if result.fault != CORRECT]
    print(_table(faults))
    correct = [result for result in results if result.fault == CORRECT]
    if any(result.caught for result in correct) or not all(result.caught for result in faults):
        sys.exit(1)


def _line(result: Result) -> str:
    mark = "caught" if result.caught else "MISSED"
    if result.fault == CORRECT:
        mark = "FOUND FAULT WITH" if result.caught else "clean"
    alone = "also caught" if result.alone else "missed"
    found = ", ".join(result.clauses[:3])
    return f"{mark:8} {result.fault:36} {result.seconds:5.1f} s   Schemathesis alone: {alone:12} {found}"


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
