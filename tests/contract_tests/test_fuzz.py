"""Generated requests: what the contract says of them, and how the one that shows something is made small."""

from collections.abc import Iterator, Mapping

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.generation import GenerationMode

from contract.clause import Clause
from contract.model import Contract, Operation, Submission
from contract_tests.case import encode
from contract_tests.cases import Cases
from contract_tests.fuzz import Fuzzer, explore
from contract_tests.settings import Settings
from contract_tests.verdicts import NotExercised
from tests.contract_tests.harness import Counted, a_bench


@pytest.fixture(scope="module")
def fuzzer(
    contract: Contract, clauses: Mapping[str, Clause], submitting: tuple[Operation, Submission]
) -> Iterator[Fuzzer]:
    with Counted() as target, a_bench(target, contract, clauses) as bench:
        yield Fuzzer(bench, submitting[0])


def test_the_verdict_on_every_case_is_what_the_case_says_or_open(fuzzer: Fuzzer, cases: Cases) -> None:
    for case in cases.valid:
        assert fuzzer.verdict(case.encoded()) is not False, case.name
        assert fuzzer.price_of(case.encoded()) == case.price
    for case in cases.invalid:
        if "surrogate" not in case.name:
            assert fuzzer.verdict(case.encoded()) is not True, case.name


@pytest.mark.parametrize(
    ("body", "verdict"),
    [
        (b'{"model": "gpt-image-2", "prompt": "a"}', True),
        (b'{"model": "gpt-image-2", "prompt": ""}', False),
        (b'{"model": "gpt-image-2", "prompt": " \\t"}', None),
        (b'{"model": "gpt-image-2", "prompt": "a\\u0000b"}', None),
        (b'{"model": "gpt-image-2", "prompt": "a", "x": NaN}', None),
        (b'{"model": "gpt-image-2", "prompt": "a", "inputImageUrls": ["http://a b"]}', None),
        (b'{"model": ["gpt-image-2"], "prompt": "a"}', False),
        (b"null", False),
        (b"", False),
        (b"\xff", False),
        (b"[" * 100_000, False),
    ],
)
def test_what_the_contract_says_of_a_body(fuzzer: Fuzzer, body: bytes, verdict: bool | None) -> None:
    assert fuzzer.verdict(body) is verdict


@pytest.mark.parametrize(
    ("body", "clause"),
    [
        (b'{"prompt": "a"}', "generateImage.model"),
        (b"[]", "generateImage.400"),
        (b'{"model": "gpt-image-2"}', "generateImage.gpt-image-2.prompt.required"),
        (b'{"model": "gpt-image-2", "prompt": 7}', "generateImage.gpt-image-2.prompt.type"),
        (
            b'{"model": "gpt-image-2", "prompt": "a", "inputImageUrls": ["ftp://x"]}',
            "generateImage.gpt-image-2.inputImageUrls.*.pattern",
        ),
        (
            b'{"model": "nano-banana-2", "prompt": "a", "resolution": "3K"}',
            "generateImage.nano-banana-2.resolution.enum",
        ),
    ],
)
def test_an_invalid_body_that_is_not_refused_breaks_the_first_rule_it_breaks(
    fuzzer: Fuzzer, body: bytes, clause: str
) -> None:
    assert fuzzer.verdict(body) is False
    assert fuzzer.refusal_clause(body) == clause


def test_a_valid_body_that_is_refused_breaks_the_clause_of_its_mode(fuzzer: Fuzzer) -> None:
    plain = {"model": "nano-banana-pro", "prompt": "a"}
    edit = {**plain, "inputImageUrls": ["https://x/a.png"]}
    assert fuzzer.acceptance_clause(encode(plain)) == "generateImage.nano-banana-pro.text-to-image"
    assert fuzzer.acceptance_clause(encode(edit)) == "generateImage.nano-banana-pro.image-to-image"
    assert fuzzer.price_clause(encode({**plain, "resolution": "4K"})) == "generateImage.nano-banana-pro.price.4K"


@pytest.mark.parametrize(("mode", "least"), [(GenerationMode.POSITIVE, True), (GenerationMode.NEGATIVE, False)])
def test_generated_bodies_are_of_the_kind_that_was_asked_for(fuzzer: Fuzzer, mode: GenerationMode, least: bool) -> None:
    verdicts: list[bool | None] = []

    @settings(max_examples=40, database=None, suppress_health_check=list(HealthCheck))
    @given(fuzzer.bodies(mode))
    def look(body: bytes) -> None:
        verdicts.append(fuzzer.verdict(body))

    look()
    assert verdicts.count(least) > len(verdicts) / 4


def test_what_shows_a_breach_is_made_as_small_as_can_be_and_never_sent_twice() -> None:
    sent: list[bytes] = []

    def check(body: bytes) -> str | None:
        sent.append(body)
        return body.hex() if len(body) >= 3 else None

    assert explore(st.binary(), check, Settings(fuzz=200)) == "000000"
    assert len(sent) == len(set(sent))


def test_where_nothing_shows_a_breach_nothing_is_found() -> None:
    assert explore(st.binary(), lambda _: None, Settings(fuzz=10)) is None


def test_the_same_seed_makes_the_same_bodies() -> None:
    made: list[list[bytes]] = [[], [], []]
    for bodies, seed in zip(made, (1, 1, 2), strict=True):

        def check(body: bytes, bodies: list[bytes] = bodies) -> None:
            bodies.append(body)

        explore(st.binary(), check, Settings(fuzz=30, seed=seed))
    assert made[0] == made[1] != made[2]


def test_a_check_that_cannot_be_made_ends_the_search_at_once() -> None:
    asked = 0

    def check(_: bytes) -> None:
        nonlocal asked
        asked += 1
        if asked == 5:
            raise NotExercised("a gateway turned requests away")

    with pytest.raises(NotExercised):
        explore(st.binary(min_size=2), check, Settings(fuzz=100))
    assert asked == 5


def test_only_submissions_are_made_up(contract: Contract, clauses: Mapping[str, Clause], target: Counted) -> None:
    reading, _ = next(contract.readings())
    with a_bench(target, contract, clauses) as bench, pytest.raises(NotExercised, match="submits no task"):
        Fuzzer(bench, reading)
