"""A cap on what a run spends."""

import pytest

from contract_tests.purse import Purse
from contract_tests.verdicts import NotExercised


def test_without_a_cap_everything_may_be_sent() -> None:
    purse = Purse()
    purse.debit(1_000_000)
    purse.reserve(1_000_000)


def test_the_cap_can_be_spent_to_the_last_credit() -> None:
    purse = Purse(10)
    purse.debit(7)
    purse.reserve(3)
    with pytest.raises(NotExercised, match="more than the cap of 10 credits"):
        purse.reserve(4)


def test_a_refund_does_not_make_room() -> None:
    purse = Purse(3)
    purse.debit(3)
    purse.refund(3)
    assert (purse.spent, purse.refunded) == (3, 3)
    with pytest.raises(NotExercised):
        purse.reserve(1)


def test_a_test_spends_from_its_own_purse_and_the_run_s() -> None:
    whole = Purse(10)
    for _ in range(3):
        part = Purse(3, within=whole)
        part.reserve(3)
        part.debit(3)
        part.refund(1)
    assert (whole.spent, whole.refunded) == (9, 3)
    with pytest.raises(NotExercised, match="cap of 10"):
        Purse(3, within=whole).reserve(2)
    with pytest.raises(NotExercised, match="cap of 3"):
        Purse(3, within=Purse()).reserve(4)


def test_a_test_that_has_spent_too_much_may_still_do_what_is_free() -> None:
    part = Purse(3, within=Purse(20))
    part.debit(12)
    part.reserve(0)


def test_a_run_that_has_spent_too_much_sends_nothing_that_could_cost_more() -> None:
    purse = Purse(0)
    purse.reserve(0)
    purse.debit(3)
    with pytest.raises(NotExercised):
        purse.reserve(0)


def test_a_target_that_was_dearer_than_it_should_be_is_expected_to_be_so_again() -> None:
    whole = Purse(20)
    part = Purse(3, within=whole)
    part.debit(12)
    part.surprise(9)
    with pytest.raises(NotExercised):
        Purse(3, within=whole).reserve(3)


def test_processes_that_share_a_cap_spend_nothing_more_after_a_surprise() -> None:
    purse = Purse(1000, shared=True)
    purse.reserve(3)
    purse.debit(4)
    purse.surprise(1)
    purse.reserve(0)
    with pytest.raises(NotExercised):
        purse.reserve(3)
