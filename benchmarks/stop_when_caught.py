"""A pytest plugin: ends a run of the contract tests once a finding names the clause that is looked for."""

from __future__ import annotations

import os
import re

import pytest

from contract_tests.run import RECORD

EXPECTED = "STOP_WHEN_CAUGHT"
"""The environment variable with the clauses' pattern."""


class Stop:
    """Watches the reports of one session."""

    def __init__(self, session: pytest.Session, expected: str) -> None:
        self._session = session
        self._expected = re.compile(expected)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        record = getattr(report, RECORD, None)
        if record and any(self._expected.search(finding["clause"]) for finding in record["findings"]):
            self._session.shouldfail = "caught"


def pytest_sessionstart(session: pytest.Session) -> None:
    session.config.pluginmanager.register(Stop(session, os.environ[EXPECTED]))
