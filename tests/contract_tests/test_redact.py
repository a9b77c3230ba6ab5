"""A secret that is known is never shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract_tests.redact import SHOWN, Redactor


def _redactor(*secrets: str) -> Redactor:
    redactor = Redactor()
    for secret in secrets:
        redactor.add(secret)
    return redactor


def test_a_text_without_secrets_stays_as_it_is() -> None:
    assert _redactor("sk_live_one").text("401 Unauthorized") == "401 Unauthorized"


def test_a_secret_is_taken_out_wherever_it_stands() -> None:
    text = _redactor("sk_live_one").text("Bearer sk_live_one, again sk_live_one.")
    assert text == f"Bearer {SHOWN}, again {SHOWN}."


def test_of_two_secrets_the_longer_one_is_taken_out_whole() -> None:
    assert _redactor("sk_live_one", "sk_live_one_more").text("sk_live_one_more") == SHOWN


def test_a_short_secret_is_no_reason_to_tear_words_apart() -> None:
    assert _redactor("", "one").text("one none") == "one none"


@given(st.lists(st.text("abk_", min_size=4, max_size=12), min_size=1, max_size=6), st.text("abk_ ", max_size=20))
def test_no_secret_survives(secrets: list[str], around: str) -> None:
    redactor = _redactor(*secrets)
    text = redactor.text(around.join(["", *secrets, ""]))
    assert not any(secret in text for secret in secrets)


@given(st.text("abk_", min_size=5, max_size=12), st.text("abk_ ", max_size=20), st.integers(4, 11))
def test_no_beginning_of_a_secret_survives_a_cut(secret: str, before: str, length: int) -> None:
    cut = _redactor(secret).cut(before + secret[:length])
    assert secret not in cut
    assert not any(cut.endswith(secret[:size]) for size in range(4, len(secret) + 1))


def test_a_text_that_is_cut_elsewhere_stays_as_it_is() -> None:
    assert _redactor("sk_live_one").cut("sk_live was cut") == "sk_live was cut"


@pytest.mark.parametrize("others", [0, 1000], ids=["few secrets", "more secrets than characters"])
def test_a_secret_is_found_among_any_number(others: int) -> None:
    redactor = _redactor("sk_live_one", *(f"{number:05}" for number in range(others)))
    assert redactor.text("x sk_live_one x") == f"x {SHOWN} x"
    assert redactor.cut("x sk_live_o") == f"x {SHOWN}"
    assert redactor.text("sk") == "sk"
