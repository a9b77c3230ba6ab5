"""What a submission may say and what it costs: a body becomes an `Order`, or is `Invalid`."""

import json
import math
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from .faults import CATALOGUE, LENIENT, STRICT, Switch


@dataclass(frozen=True)
class Model:
    """What one model takes and costs; prices by resolution, cheapest first, a flat one under ""."""

    references: int
    prompt_cap: int
    prices: dict[str, int]
    ratios: re.Pattern[str]


LISTED = re.compile("auto|1:1|16:9|9:16|4:3|3:4|3:2|2:3|4:5|5:4|21:9")
ANY_RATIO = re.compile("auto|[1-9][0-9]*:[1-9][0-9]*")

MODELS = {
    "gpt-image-2": Model(4, 20_000, {"": 3}, LISTED),
    "nano-banana-2": Model(14, 20_000, {"1K": 4, "2K": 6, "4K": 8}, ANY_RATIO),
    "nano-banana-pro": Model(8, 10_000, {"2K": 12, "4K": 20}, ANY_RATIO),
    "google/nano-banana": Model(10, 5_000, {"": 3}, ANY_RATIO),
}
# Stands in for an unknown model, so that the other fields of the request are judged as well.
UNKNOWN_MODEL = Model(sys.maxsize, sys.maxsize, {"": 0}, re.compile(".*", re.DOTALL))
OUTPUT_FORMATS = ("png", "jpeg", "webp")

_AFTER_SCHEME = (
    r"://(?:[^\s/?#@]*@)?"
    r"(?:\[[0-9A-Fa-f:.]+\]|[^\s\x00-\x1f\x7f/?#@:\[\]<>\"\\^`{|}]+)(?::[0-9]*)?"
    r"(?:[/?#][^\s\x00-\x1f\x7f<>\"\\^`{|}]*)?"
)
HTTP_URL = re.compile("(?i:https?)" + _AFTER_SCHEME)
ANY_URL = re.compile("[A-Za-z][A-Za-z0-9+.-]*" + _AFTER_SCHEME)
SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Order:
    """A valid submission."""

    model: str
    prompt: str
    price: int
    cheapest_price: int
    fails: bool
    body: bytes


class Invalid(Exception):
    """What is wrong with a body, as a whole and by field: the `details` of a 400."""

    def __init__(self, form: list[str], fields: dict[str, list[str]]) -> None:
        super().__init__(form, fields)
        self.form = form
        self.fields = fields


class Validator:
    def __init__(self, switch: Switch) -> None:
        self._switch = switch
        self._models = dict(MODELS)
        if switch.name in CATALOGUE:
            model, wrong = CATALOGUE[switch.name]
            self._models[model] = replace(MODELS[model], **wrong)

    def decode(self, body: bytes) -> dict[str, Any]:
        """The JSON object in `body`, whatever its fields; raises `Invalid`."""
        on, crash = self._switch.on, self._switch.crash
        crash("empty-body-500", not body)
        decoder = json.JSONDecoder(
            # NaN and Infinity are Python's, not JSON's. Integers need no exactness here, and as
            # floats they may have any number of digits.
            parse_constant=_refuse_constant,
            parse_float=self._number,
            parse_int=self._number,
        )
        try:
            text = body.decode(errors="replace" if on("invalid-utf8-accepted") else "strict")
            value = decoder.raw_decode(text.lstrip())[0] if on("trailing-garbage-accepted") else decoder.decode(text)
        except (ValueError, RecursionError) as error:
            crash("deep-nesting-500", isinstance(error, RecursionError))
            crash("invalid-utf8-500", isinstance(error, UnicodeDecodeError))
            crash("malformed-json-500", body != b"" and isinstance(error, json.JSONDecodeError))
            raise Invalid(["Body must be valid JSON"], {}) from None
        if on("encoded-twice-accepted") and isinstance(value, str):
            return self.decode(value.encode())
        if on("envelope-accepted") and isinstance(value, dict) and isinstance(value.get("input"), dict):
            value = value["input"]
        if not isinstance(value, dict):
            crash("array-body-500" if isinstance(value, list) else "scalar-body-500")
            raise Invalid(["Body must be a JSON object"], {})
        return value

    def _number(self, text: str) -> float:
        number = float(text)
        self._switch.crash("huge-number-500", math.isinf(number))
        return number

    def order(self, body: bytes) -> Order:
        """The order in `body`; raises `Invalid` with a message for every broken field."""
        on, crash = self._switch.on, self._switch.crash
        fields = self.decode(body)
        if self._switch.name in LENIENT:
            LENIENT[self._switch.name](fields)
        form: list[str] = []
        wrong: dict[str, list[str]] = {}

        def check(name: str, holds: object, message: str) -> None:
            if not holds:
                wrong.setdefault(name, []).append(message)

        for name, value in fields.items():
            if any(SURROGATE.search(text) for text in _texts([name, value])):
                crash("lone-surrogate-500")
                if on("lone-surrogate-accepted"):
                    continue
                # A name that is no text itself cannot be named in an answer.
                messages = form if SURROGATE.search(name) else wrong.setdefault(name, [])
                messages.append("Text must be valid Unicode")

        model = fields.get("model")
        rules = self._models.get(model) if isinstance(model, str) else None
        check("model", rules, "Unknown model" if "model" in fields else "Model is required")
        rules = rules or UNKNOWN_MODEL

        urls = fields.get("inputImageUrls", [])
        if isinstance(urls, list):
            checked = urls[:1] if on("references-only-first-checked") else urls
            pattern = ANY_URL if on("reference-scheme-unchecked") else HTTP_URL
            well_formed = all(isinstance(url, str) and pattern.fullmatch(url) for url in checked)
            check("inputImageUrls", well_formed, "References must be absolute http(s) URLs")
            few = len(urls) <= rules.references
            check("inputImageUrls", few, f"At most {rules.references} references are allowed")
        else:
            check("inputImageUrls", False, "References must be an array")

        prompt = fields.get("prompt", "")
        if isinstance(prompt, str):
            crash("nul-in-prompt-500", "\0" in prompt)
            crash("astral-in-prompt-500", max(prompt, default="") > "\uffff")
            given = prompt or ("prompt" in fields and on("empty-prompt-accepted"))
            check("prompt", given, "Prompt is required")
            if on("prompt-truncated"):
                prompt = prompt[: rules.prompt_cap]
            short = self._length(prompt) <= rules.prompt_cap
            uncapped = on("prompt-cap-skipped-for-edits") and urls
            too_long = f"Prompt must have at most {rules.prompt_cap} characters"
            check("prompt", short or uncapped, too_long)
        else:
            check("prompt", False, "Prompt must be a string")

        ratio = fields.get("aspectRatio", "auto")
        supported = isinstance(ratio, str) and rules.ratios.fullmatch(ratio)
        check("aspectRatio", supported, "Aspect ratio is not supported")

        # A model without tiers has no such field: there it is one of those that are ignored.
        tiers = list(rules.prices)
        default = tiers[-1] if on("price-default-tier-dearest") else tiers[0]
        tier = default if tiers == [""] else fields.get("resolution", default)
        check("resolution", tier in tiers, "Resolution is not supported")

        output_format = fields.get("outputFormat", "png")
        check("outputFormat", output_format in OUTPUT_FORMATS, "Output format is not supported")

        provider_input = fields.get("providerInput", {})
        check("providerInput", isinstance(provider_input, dict), "Provider input must be an object")

        if self._switch.name in STRICT:
            for name in STRICT[self._switch.name](fields):
                check(name, False, "Not supported")
        if form or wrong:
            raise Invalid(form, wrong)
        return Order(
            model=str(model),
            prompt=prompt,
            price=rules.prices[tier] + (1 if on("edit-costs-more") and urls else 0),
            cheapest_price=rules.prices[tiers[0]],
            fails=provider_input.get("simulate") == "failure",
            body=body,
        )

    def _length(self, text: str) -> int:
        # A character is a Unicode code point; the other two are what platforms count by themselves.
        if self._switch.on("prompt-counts-utf8-bytes"):
            return len(text.encode("utf-8", "surrogatepass"))
        if self._switch.on("prompt-counts-utf16-units"):
            return len(text.encode("utf-16-le", "surrogatepass")) // 2
        return len(text)


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _texts(value: Any) -> Iterator[str]:
    """Every string in a decoded document, keys included, without recursion."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, list):
            waiting += item
        elif isinstance(item, dict):
            waiting += item.keys()
            waiting += item.values()
