"""Loads a mock again whenever its files change, for as long as it is served.

A mistake in them changes nothing: what was good before goes on being played, and the mistake is said, until it is
mended. What counts is what stands in the files. The notices of the file system only make it quick: beside them the
files are looked at every second, since a folder that is moved away takes the watch on it along.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import watchfiles

from contract.errors import ContractError
from mock_server.mock import Mock
from mock_server.store import StoreError

_LOOK_MS: Final = 1000
_NOTICES_MS: Final = 50
"""How long notices are gathered."""
_QUIET: Final = 0.2
"""Seconds that the files must have stayed as they are: some programs write a file in several steps."""
_LONGEST_WAIT: Final = 25
"""How many times that is waited for, in files that never rest."""
_END_SECONDS: Final = 10.0

Contents = Sequence[bytes | str]


class Watch:
    """Watches the files of a mock."""

    def __init__(self, files: Sequence[Path], say: Callable[[str], None]) -> None:
        """Remember what stands in the files now, before a mock reads them.

        Args:
            say: tells the user what happens.

        Raises:
            ValueError: if one of them cannot be read again, such as a pipe.
        """
        self._files = files
        self._say = say
        self._seen = self._read()
        if unfit := self._unfit():
            raise ValueError(unfit)
        self._broken = ""
        self._end = threading.Event()

    @contextmanager
    def over(self, mock: Mock) -> Iterator[None]:
        """Keep a mock up to date, in a thread that ends with the block."""
        thread = threading.Thread(target=self._run, args=(mock,), name="watch", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._end.set()
            thread.join(_END_SECONDS)

    def _run(self, mock: Mock) -> None:
        # A file may be a link to one elsewhere, and either may be replaced.
        folders = {file.parent for file in self._files} | {file.resolve().parent for file in self._files}
        try:
            for _ in watchfiles.watch(
                *folders,
                watch_filter=None,
                step=_NOTICES_MS,
                rust_timeout=_LOOK_MS,
                yield_on_timeout=True,
                stop_event=self._end,
                recursive=False,
            ):
                self._look(mock)
        except Exception as error:  # noqa: BLE001 - whatever it is, nobody else would say it
            problem = f"the files are not watched any more, start again to read them: {type(error).__name__}: {error}"
            mock.report(problem)
            self._say(problem)

    def _look(self, mock: Mock) -> None:
        """Load the mock again, if the files say something else, and are at rest."""
        found = self._read()
        if found == self._seen:
            return
        for _ in range(_LONGEST_WAIT):
            if self._end.wait(_QUIET):
                return
            before, found = found, self._read()
            if found == before:
                break
        if found == self._seen:
            return
        if self._load(mock):
            self._seen = found

    def _load(self, mock: Mock) -> bool:
        """Load the mock; says whether that need not be tried again with the same files."""
        if unfit := self._unfit():
            self._tell(mock, unfit)
            return True
        try:
            mock.load()
        except StoreError as error:  # it may pass by itself: the next look tries again
            self._tell(mock, str(error))
            return False
        except ContractError as error:
            self._tell(mock, str(error))
        except Exception as error:  # noqa: BLE001 - a document that the checks let pass must not end the watch
            self._tell(mock, f"{type(error).__name__}: {error}")
        else:
            mended, self._broken = "mended, and " if self._broken else "", ""
            self._say(f"{mended}read again: {mock.contract.title} {mock.contract.version} as it stands now")
        return True

    def _tell(self, mock: Mock, problem: str) -> None:
        if self._broken == problem:
            return
        self._broken = problem
        mock.report(problem)
        self._say(f"{problem}\nmock-server: what was read before is played until this is mended")

    def _unfit(self) -> str | None:
        """What is wrong with a file that cannot be read again, such as a pipe, which a mock would wait for."""
        unfit = next((file for file in self._files if not _may_be_read(file)), None)
        return None if unfit is None else f"{unfit}: not a regular file, which could be read again"

    def _read(self) -> Contents:
        return [_content(file) for file in self._files]


def _content(file: Path) -> bytes | str:
    """What stands in a file, or why it cannot be read."""
    try:
        return file.read_bytes() if _may_be_read(file) else "no regular file"
    except OSError as error:
        return str(error)


def _may_be_read(file: Path) -> bool:
    """Whether to read a file takes no time; that it is missing is found out at once, too."""
    return file.is_file() or not file.exists()
