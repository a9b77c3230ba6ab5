"""Which pictures there can be: their formats, and their sizes in pixels. `drawing` draws them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from types import MappingProxyType
from typing import Final

FORMATS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "png": "image/png",
        "jpeg": "image/jpeg",
        "jpg": "image/jpeg",
        "webp": "image/webp",
        "gif": "image/gif",
    }
)
"""Format name -> media type, for every format that `drawing` encodes."""

_SHORTEST, _DEFAULT, _LONGEST = 64, 1024, 4096  # pixels: bounds and default of the long side


def picture_size(aspect: str | None, tier: str | None) -> tuple[int, int]:
    """Width and height, in pixels, for an aspect ratio ("4:5") and a size label ("2K", "720p").

    "nK" asks for a long side of n * 1024 pixels and "np" for a short side of n; any other label,
    or none, for a long side of 1024. The long side stays within 64 to 4096. An aspect that is not
    W:H with positive integers is 1:1.

    The size is the largest exact multiple of the reduced ratio that fits: "4:5" at "1K" is
    816 x 1020. Where no multiple fits, the nearest ratio that has one takes its place, and the
    short side is at least 1.
    """
    width, height = _ratio(aspect)
    ratio = Fraction(min(width, height), max(width, height))
    limit = min(max(_long_side(tier, ratio), _SHORTEST), _LONGEST)

    ratio = ratio.limit_denominator(limit)
    short, long = ratio.as_integer_ratio()
    times = max(limit // long, -(-_SHORTEST // long))
    short, long = max(short * times, 1), long * times
    return (long, short) if width > height else (short, long)


def _ratio(aspect: str | None) -> tuple[int, int]:
    match = re.fullmatch(r"0*([1-9][0-9]*):0*([1-9][0-9]*)", aspect or "")
    if match is None:
        return 1, 1
    # A client may send more digits than int() accepts (4300) or gcd() handles quickly. Digits
    # past the fortieth cannot change which ratio of sides up to 4096 is the nearest; a number
    # that has no others left is as good as 1.
    excess = max(0, max(map(len, match.groups())) - 40)
    kept = (digits[: max(len(digits) - excess, 0)] for digits in match.groups())
    width, height = (int(digits or "1") for digits in kept)
    return width, height


def _long_side(tier: str | None, ratio: Fraction) -> int:
    match = re.fullmatch(r"([0-9]+)(K|p)", tier or "")
    if match is None:
        return _DEFAULT
    # Five digits are already past every bound, and more would be past what int() accepts.
    number = int(match[1].lstrip("0")[:5] or "0")
    return number * 1024 if match[2] == "K" else int(number / ratio)
