"""A clock is a value: what it says follows the machine's time as it was told to, and never jumps by itself."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.clock import FASTEST, LATEST, REAL, Clock, machine_time
from mock_server.task import MICROSECONDS

NOW = 1_767_225_600 * MICROSECONDS

clocks = st.builds(
    Clock, since=st.integers(0, 2 * NOW), then=st.integers(0, 2 * NOW), speed=st.floats(0, FASTEST, allow_nan=False)
)
moments = st.integers(NOW, NOW + 10**13)


def test_the_real_clock_says_what_the_machine_says() -> None:
    assert REAL.at(NOW + 1) == NOW + 1
    assert abs(machine_time() - REAL.at(machine_time())) < 10 * MICROSECONDS


def test_a_frozen_clock_stands_still() -> None:
    frozen = REAL.paced(NOW, 0)
    assert [frozen.at(NOW + later) for later in (0, 1, 10**12)] == [NOW] * 3


def test_a_minute_passes_in_a_second() -> None:
    assert REAL.paced(NOW, 60).at(NOW + MICROSECONDS) == NOW + 60 * MICROSECONDS


def test_a_frozen_clock_that_is_advanced_stays_frozen() -> None:
    later = REAL.paced(NOW, 0).advanced(NOW + 5, 30)
    assert (later.speed, later.at(NOW + 99)) == (0, NOW + 30 * MICROSECONDS)


@given(clock=clocks, moment=moments, speed=st.floats(0, FASTEST))
def test_another_speed_is_no_jump(clock: Clock, moment: int, speed: float) -> None:
    assert clock.paced(moment, speed).at(moment) == clock.at(moment)


@given(clock=clocks, moment=moments, seconds=st.integers(0, 10**6))
def test_advancing_adds_exactly_what_was_asked_for(clock: Clock, moment: int, seconds: int) -> None:
    expected = min(clock.at(moment) + seconds * MICROSECONDS, LATEST)
    assert clock.advanced(moment, seconds).at(moment) == expected


@given(clock=clocks, moments=st.tuples(moments, moments))
def test_no_clock_goes_back_by_itself(clock: Clock, moments: tuple[int, int]) -> None:
    earlier, later = sorted(moment + clock.since for moment in moments)
    assert clock.at(earlier) <= clock.at(later) <= LATEST


@given(clock=clocks)
def test_a_clock_is_read_as_it_was_written(clock: Clock) -> None:
    assert Clock.from_json(json.loads(json.dumps(clock.to_json()))) == clock


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"since": 0, "then": 0},
        {"since": 0.5, "then": 0, "speed": 1},
        {"since": 0, "then": "now", "speed": 1},
        {"since": 0, "then": 0, "speed": -1},
        {"since": 0, "then": 0, "speed": 10**9},
        {"since": 0, "then": 0, "speed": "fast"},
    ],
)
def test_what_is_no_clock_is_refused(data: dict[str, object]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        Clock.from_json(data)


def test_no_clock_goes_before_the_moment_at_which_it_was_set() -> None:
    clock = Clock(since=1_000, then=5_000, speed=60)
    assert clock.at(0) == clock.at(1_000) == 5_000
    assert clock.at(1_001) == 5_060
