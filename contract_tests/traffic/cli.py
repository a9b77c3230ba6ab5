"""The commands `contract proxy` and `contract check-traffic`."""

from __future__ import annotations

import asyncio
import signal
import ssl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

import click

from contract.resources import default_contract
from contract_tests.preflight import check_report, checked_url, load
from contract_tests.settings import SetupError
from contract_tests.traffic.messages import Message
from contract_tests.traffic.proxy import Proxy
from contract_tests.traffic.recording import Recording, RecordingError, read_recording
from contract_tests.traffic.sightings import Sightings
from contract_tests.traffic.upstream import Upstream
from contract_tests.traffic.watch import Watch
from contract_tests.verdicts import Finding
from contract_tests.wire import NoAnswer

_HAR_SLACK = 0.002
"""The times of a HAR file are whole milliseconds."""
_SWITCH_SECONDS = 0.0005
"""The judge lets the bytes go first: it gives way this often."""
_PORTS = {"http": 80, "https": 443}

_SPEC = click.option("--spec", default="", help="The contract; by default the project's own openapi.yaml.")
_REPORT = click.option("--report", type=click.Path(path_type=Path), help="Folder for the reports.")
_STRICT = click.option("--strict", is_flag=True, help="A breach of an assumed clause is a failure, too.")
_DEADLINE = click.option(
    "--deadline", type=click.FloatRange(min=0), help="Seconds in which a task must end; by default the contract's."
)


@click.command()
@click.argument("upstream")
@click.option("--listen", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8080, show_default=True, type=click.IntRange(0, 65535), help="0 for any that is free.")
@click.option("--host", type=click.Choice(["keep", "upstream"]), default="keep", show_default=True,
              help="Whether requests keep their Host, or name the server's.")  # fmt: skip
@click.option("--enforce", is_flag=True, help="Answer 502 instead of what breaks the contract.")
@click.option("--insecure", is_flag=True, help="Do not check the server's certificate.")
@click.option("--cacert", type=click.Path(exists=True, dir_okay=False), help="Certificates to trust.")
@_SPEC
@_REPORT
@_STRICT
@_DEADLINE
def proxy(upstream: str, listen: str, port: int, report: Path | None, spec: str, **options: Any) -> None:
    """Stand before the server at UPSTREAM, and hold what passes to the contract.

    Ctrl-C ends it and writes the reports. Exit status: 0 no finding, 1 a finding, 2 it could not be done.
    """
    with _told():
        contract = load(spec)
        server = _upstream(upstream, options)
        check_report(str(report or ""))
    watch = Watch(contract, _named(spec), server.url, _say, strict=options["strict"], deadline=options["deadline"])
    sightings = Sightings(contract, watch.redactor, server.url)

    def look(request: Message, answer: Message | NoAnswer, answered: float) -> Finding | None:
        return watch.take(sightings.of(request, answer, answered))

    sys.setswitchinterval(_SWITCH_SECONDS)
    standing = Proxy(server, look, watch.note, enforce=options["enforce"])
    try:
        asyncio.run(_serve(standing, listen, port))
    except OSError as error:
        _fail(f"{listen}:{port} cannot be listened on: {error.strerror}")
    _end(watch, report, standing.crashes)
    sys.exit(1 if watch.failed else 0)


@click.command("check-traffic")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--url", default="", help="Check only what was asked for below this URL.")
@_SPEC
@_REPORT
@_STRICT
@_DEADLINE
def check_traffic(file: Path, url: str, spec: str, report: Path | None, **options: Any) -> None:
    """Hold a recording to the contract: a HAR FILE of a browser's developer tools or of the contract tests.

    Exit status: 0 no finding, 1 a finding, 2 it could not be done.
    """
    with _told():
        contract = load(spec)
        base = checked_url(url, "--url", "the requests of a recording bring their own") if url else ""
        recording = read_recording(file, base)
        check_report(str(report or ""))
    watch = Watch(contract, _named(spec), base or str(file), _say, slack=_HAR_SLACK, **options)
    sightings = Sightings(contract, watch.redactor, base, credentials=False)
    crashes = []
    for place, request, answer, answered, unchecked in recording.exchanges:
        try:
            watch.take(sightings.of(request, answer, answered, unchecked))
        except Exception as error:  # noqa: BLE001 - whatever it is, the rest is checked, and the user hears of it
            crashes.append(f"{file}: {place}: {type(error).__name__}: {error}")
    left_out = recording.servers.total() - len(recording.exchanges)
    if left_out:
        _say(f"{left_out:,} exchanges with other servers were left out")
    _end(watch, report, crashes)
    if not watch.checked and not watch.failed:
        _fail(f"{file}: no exchange in it could be checked: {_servers(recording)}")
    sys.exit(1 if watch.failed else 0)


def _servers(recording: Recording) -> str:
    if not recording.servers:
        return "it has none"
    return "it names " + ", ".join(f"{server} ({count:,})" for server, count in recording.servers.most_common())


async def _serve(standing: Proxy, listen: str, port: int) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    listening = await standing.start(listen, port)
    shown = f"[{listen}]" if ":" in listen else listen
    click.echo(f"contract proxy: http://{shown}:{listening} passes everything on to {standing.upstream.url}")
    await stopped.wait()
    await standing.stop()


def _upstream(url: str, options: dict[str, Any]) -> Upstream:
    url = checked_url(url, "UPSTREAM", "each request brings its own")
    parts = urlsplit(url)
    tls = None
    if parts.scheme == "https":
        try:
            tls = ssl.create_default_context(cafile=options["cacert"])
        except (ssl.SSLError, OSError) as error:
            _fail(f"--cacert {options['cacert']}: {error.strerror or error}")
        tls.set_alpn_protocols(["http/1.1"])
        if options["insecure"]:
            tls.check_hostname = False
            tls.verify_mode = ssl.CERT_NONE
    elif options["insecure"] or options["cacert"]:
        _fail("--insecure and --cacert are about https, and UPSTREAM is http")
    host, port = str(parts.hostname), parts.port or _PORTS[parts.scheme]
    return Upstream(url, host, port, parts.netloc, tls, options["host"] == "upstream")


def _named(spec: str) -> str:
    return spec or default_contract().name


@contextmanager
def _told() -> Iterator[None]:
    """What cannot be done is told in one line."""
    try:
        yield
    except (SetupError, RecordingError) as error:
        _fail(str(error))


def _end(watch: Watch, report: Path | None, crashes: list[str]) -> None:
    for line in watch.summary():
        _say(line)
    if report is not None:
        with _told():
            watch.write(report)
        _say(f"reports: {report}/index.html, report.json, junit.xml, traffic.har")
    if crashes:
        _fail(f"{len(crashes)} exchanges could not be judged, a fault of this tool: {watch.redactor.text(crashes[0])}")


def _say(line: str) -> None:
    click.echo(line, err=True)


def _fail(message: str) -> NoReturn:
    click.echo(f"contract: {message}", err=True)
    sys.exit(2)
