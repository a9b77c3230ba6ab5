"""How fast the mock is beside what people would use instead, measured in turn in one run on one machine.

    make bench                                    everything, and what comes of it into docs/performance.md
    make bench ARGS="--rounds 1 --only mock"      a quick look at some of it, which writes nothing

Every contender serves the project's openapi.yaml and gets the same requests from wrk: a valid submission, and a read of
a snapshot. Each round asks every contender in turn, so that a machine that slows down slows down all of them. Every
answer has to be a 2xx, or there is no figure.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HERE = ROOT / "benchmarks"
BIN = Path(sys.executable).parent
NODE = HERE / "others" / "node_modules" / ".bin"
REPORT = ROOT / "docs" / "performance.md"
CHART = ROOT / "docs" / "performance.svg"
BEGIN, END = "<!-- what make bench measured -->\n", "<!-- end of what make bench measured -->\n"

SUBMIT = "/api/ai/image/generate"
READ = "/api/ai/tasks/{id}"
EXAMPLE = "tsk_01K7E9V4TQ2M8N5R3W6Y1Z0ABC"
AUTHORIZATION = "Bearer sk_test_rich"
PROMPT = "a red fox in the first snow of the year, early light, a long lens, soft shadows and a quiet mood"
BODY = json.dumps({"model": "gpt-image-2", "prompt": PROMPT, "aspectRatio": "16:9"}, separators=(",", ":"))
CONNECTIONS = (1, 16, 64)
WARM_UP_SECONDS = 2
ROUNDS = STARTS = 5
ATTEMPTS = 3
SLOWEST_START = 60.0

REFERENCE = "Prism"


@dataclass(frozen=True)
class Contender:
    """Something that serves the contract.

    Attributes:
        name: what the table calls it.
        command: how to run it on a port, with a folder of its own.
    """

    name: str
    command: Callable[[int, Path], Sequence[str | Path]]


def _mock(*options: str) -> Callable[[int, Path], Sequence[str | Path]]:
    def command(port: int, folder: Path) -> Sequence[str | Path]:
        said = [option.format(folder=folder) for option in options]
        return [BIN / "mock-server", "--port", str(port), "--credits", "1000000000000", "--task-seconds", "0", *said]

    return command


def _uvicorn(app: str) -> Callable[[int, Path], Sequence[str | Path]]:
    return lambda port, _folder: [
        *(BIN / "uvicorn", "--app-dir", HERE, "--port", str(port), "--no-access-log", "--log-level", "error"),
        f"limits:{app}",
    ]


CONTENDERS = (
    Contender("mock", _mock()),
    Contender("mock, SQLite file", _mock("--database", "sqlite:///{folder}/mock.db")),
    Contender("mock, SQLite file, 2 workers", _mock("--database", "sqlite:///{folder}/mock.db", "--workers", "2")),
    Contender(REFERENCE, lambda port, _: [NODE / "prism", "mock", "--port", str(port), ROOT / "openapi.yaml"]),
    Contender(
        "Mockoon",
        lambda port, _: [NODE / "mockoon-cli", "start", "--data", ROOT / "openapi.yaml", "--port", str(port)],
    ),
    Contender("connexion, examples", _uvicorn("stock")),
    Contender("Starlette, nothing else", _uvicorn("bare")),
)


@dataclass
class Load:
    """What wrk measured: requests per second, and the milliseconds that 50 % and 99 % of them took at most."""

    rates: list[float] = field(default_factory=list)
    p50: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)


@dataclass
class Figures:
    """What was measured of a contender: loads by kind and connections, MiB of memory, seconds to the first answer."""

    loads: dict[tuple[str, int], Load] = field(default_factory=dict)
    memories: list[float] = field(default_factory=list)
    starts: list[float] = field(default_factory=list)

    @property
    def memory(self) -> float:
        return statistics.median(self.memories)

    def load(self, kind: str, connections: int) -> Load:
        return self.loads.setdefault((kind, connections), Load())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="how many times each is asked")
    parser.add_argument("--seconds", type=int, default=3, help="how long wrk asks each time")
    parser.add_argument("--only", action="append", help="a contender to measure; all, if none is named")
    arguments = parser.parse_args()
    for tool, how in (("wrk", "apt-get install wrk"), ("node", "apt-get install nodejs npm")):
        if shutil.which(tool) is None:
            sys.exit(f"make bench needs {tool}: on Debian, {how}")
    known = {contender.name: contender for contender in CONTENDERS}
    if unknown := [name for name in arguments.only or () if name not in known]:
        parser.error(f"no contender {unknown[0]!r}: there are {', '.join(known)}")
    contenders = [known[name] for name in arguments.only or known]
    figures = measure(contenders, arguments.rounds, arguments.seconds)
    table = describe(figures, arguments.rounds, arguments.seconds)
    print(table)
    if not arguments.only and arguments.rounds >= ROUNDS:
        head, _, rest = REPORT.read_text("utf-8").partition(BEGIN)
        tail = rest.partition(END)[2]
        REPORT.write_text(f"{head}{BEGIN}{table}{END}{tail}", "utf-8")
        CHART.write_text(chart(figures), "utf-8")


def measure(contenders: Sequence[Contender], rounds: int, seconds: int) -> dict[str, Figures]:
    """Ask every contender in turn, round by round."""
    figures = {contender.name: Figures() for contender in contenders}
    for _ in range(STARTS):
        for contender in contenders:
            with running(contender) as server:
                figures[contender.name].starts.append(server.start_seconds)
    for number in range(rounds):
        for contender in contenders:
            with running(contender) as server:
                server.ask("submissions", 16, WARM_UP_SECONDS)
                for kind in ("submissions", "reads"):
                    for connections in CONNECTIONS:
                        said = server.ask(kind, connections, seconds)
                        load = figures[contender.name].load(kind, connections)
                        load.rates.append(said["requests"] / said["microseconds"] * 1_000_000)
                        load.p50.append(said["p50"] / 1000)
                        load.p99.append(said["p99"] / 1000)
                figures[contender.name].memories.append(server.memory())
        print(f"round {number + 1} of {rounds} is over", file=sys.stderr)
    return figures


@dataclass(frozen=True)
class Server:
    """A contender that serves."""

    name: str
    url: str
    process: int
    start_seconds: float
    has_tasks: bool

    def ask(self, kind: str, connections: int, seconds: int) -> Mapping[str, int]:
        """Let wrk ask for a while; ends the run where an answer was no 2xx, or none came.

        A server may break off a connection that it keeps in just the moment in which it is used. That is told, and
        it is asked again; a server that goes on so has no figure.
        """
        if kind == "submissions":
            path, method = SUBMIT, "POST"
        else:
            path, method = READ.format(id=_submitted(self.url) if self.has_tasks else EXAMPLE), "GET"
        told = {"BENCH_METHOD": method, "BENCH_AUTHORIZATION": AUTHORIZATION, "BENCH_BODY": BODY}
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(HERE / "request.lua"), self.url + path]
        for _ in range(ATTEMPTS):
            said = subprocess.run(command, env={**os.environ, **told}, capture_output=True, text=True, check=True)
            result: dict[str, int] = json.loads(said.stdout.strip().splitlines()[-1])
            if not result["refused"] and not result["broken"] and result["requests"]:
                return result
            print(f"{self.name} did not answer every one of the {kind} with 2xx: {result}", file=sys.stderr)
            if result["refused"]:
                break
        sys.exit(f"so there is no figure for {self.name}")

    def memory(self) -> float:
        """MiB of the process and all below it; what they share counts once."""
        return sum(map(_proportional, _family(self.process))) / 1024


def _family(process: int) -> Iterator[int]:
    yield process
    for task in Path(f"/proc/{process}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield from _family(int(child))


def _proportional(process: int) -> int:
    """KiB of memory: what it shares with n others counts an nth."""
    lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


@contextmanager
def running(contender: Contender) -> Iterator[Server]:
    """A contender on a free port of loopback, until the block ends."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    # Bytecode is kept, as in any installation, also where the environment forbids it.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "output").open("wb") as output:
        started = time.monotonic()
        process = subprocess.Popen(
            [str(word) for word in contender.command(port, Path(folder))],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,
        )
        try:
            while (answered := _status(url + READ.format(id=EXAMPLE))) is None:
                if process.poll() is not None or time.monotonic() > started + SLOWEST_START:
                    sys.exit(f"{contender.name} did not start:\n{(Path(folder) / 'output').read_text()}")
                time.sleep(0.005)
            seconds = time.monotonic() - started
            yield Server(contender.name, url, process.pid, seconds, has_tasks=answered != 200)
        finally:
            with suppress(ProcessLookupError):  # which has ended by itself
                os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _status(url: str) -> int | None:
    """The status of an answer, or None if there is none yet."""
    try:
        request = urllib.request.Request(url, headers={"Authorization": AUTHORIZATION})
        with urllib.request.urlopen(request, timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None


def _submitted(url: str) -> str:
    """The ID of a new task."""
    headers = {"Authorization": AUTHORIZATION, "Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(url + SUBMIT, BODY.encode(), headers), timeout=5) as answer:
        task: str = json.load(answer)["taskId"]
        return task


# ------------------------------------------------------------------ the report


def describe(figures: Mapping[str, Figures], rounds: int, seconds: int) -> str:
    """The table, in Markdown: medians of the rounds, and of the rates their ratio to the reference."""
    reference = figures.get(REFERENCE)
    lines = [
        f"Medians of {rounds} rounds of {seconds} s, on {os.cpu_count()} cores ({_processor()}), of which wrk takes "
        f"its share. A submission has {len(BODY)} bytes. Behind each rate: how many times that of {REFERENCE} it is.\n",
    ]
    for kind in ("submissions", "reads"):
        head = [
            f"{kind} per second",
            *(f"{count} connection{'s' * (count > 1)}" for count in CONNECTIONS),
            "p50",
            "p99",
        ]
        lines += ["", f"| {' | '.join(head)} |", "|---|" + "---:|" * (len(head) - 1)]
        for name, measured in figures.items():
            cells = [_rate(measured, reference, kind, count) for count in CONNECTIONS]
            load = measured.load(kind, 16)
            cells += [f"{statistics.median(load.p50):.1f} ms", f"{statistics.median(load.p99):.1f} ms"]
            lines.append(f"| {name} | {' | '.join(cells)} |")
    lines += ["", "p50 and p99 are those at 16 connections.", ""]
    lines += ["| | memory after the load | to the first answer |", "|---|---:|---:|"]
    for name, measured in figures.items():
        start = statistics.median(measured.starts)
        against = ("", "")
        if reference:
            first = statistics.median(reference.starts)
            against = (f" ({measured.memory / reference.memory:.2f} x)", f" ({start / first:.2f} x)")
        lines.append(f"| {name} | {measured.memory:.0f} MiB{against[0]} | {start:.2f} s{against[1]} |")
    return "\n".join(lines) + "\n"


def _rate(measured: Figures, reference: Figures | None, kind: str, connections: int) -> str:
    rate = statistics.median(measured.load(kind, connections).rates)
    if reference is None:
        return f"{rate:,.0f}"
    return f"{rate:,.0f} ({rate / statistics.median(reference.load(kind, connections).rates):.2f} x)"


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), "unknown")


def chart(figures: Mapping[str, Figures]) -> str:
    """Both rates of every contender at 16 connections, as bars."""
    rates = {
        name: [statistics.median(measured.load(kind, 16).rates) for kind in ("submissions", "reads")]
        for name, measured in figures.items()
    }
    most = max(max(pair) for pair in rates.values())
    parts: list[str] = []
    for row, (name, pair) in enumerate(rates.items()):
        top = 40 + row * 44
        parts.append(f'<text x="215" y="{top + 20}" text-anchor="end">{name}</text>')
        for bar, (rate, colour) in enumerate(zip(pair, ("#2f6f8f", "#8fb8cc"), strict=True)):
            width, y = rate / most * 430, top + bar * 16
            parts.append(f'<rect x="225" y="{y}" width="{width:.1f}" height="14" fill="{colour}"/>')
            parts.append(f'<text x="{231 + width:.1f}" y="{y + 11}" font-size="11">{rate:,.0f}</text>')
    height = 60 + len(rates) * 44
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="730" height="{height}" viewBox="0 0 730 {height}" '
        'font-family="sans-serif" font-size="13" role="img">'
        "<title>Submissions and reads per second, at 16 connections</title>"
        f'<rect width="730" height="{height}" fill="#ffffff"/>'
        '<text x="225" y="24"><tspan fill="#2f6f8f">submissions</tspan> and '
        '<tspan fill="#5f8ea6">reads</tspan> per second, 16 connections</text>'
    )
    return head + "".join(parts) + "</svg>\n"


if __name__ == "__main__":
    main()
