"""Sizes are exact, any text can be drawn, and what is drawn can be read."""

import io
from itertools import combinations
from math import gcd

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageFile

from mock_server.drawing import UnsupportedFormatError, draw
from mock_server.pictures import FORMATS, picture_size

# Unlike st.text(), with lone surrogates, which JSON can carry.
ANY_TEXT = st.text(st.characters())
DIGITS = st.text("0123456789", max_size=60)
SIDES = st.integers(1, 160)


def picture(
    *,
    size: tuple[int, int] = (240, 240),
    format: str = "gif",
    title: str = "",
    caption: str = "",
    text: str = "",
) -> bytes:
    return draw(size=size, format=format, title=title, caption=caption, text=text)


def opened(data: bytes) -> ImageFile.ImageFile:
    image = Image.open(io.BytesIO(data))
    image.load()  # decodes all of it
    return image


def changed_rows(one: bytes, other: bytes) -> tuple[int, int]:
    """The first row in which two pictures differ, and the one after the last."""
    box = ImageChops.difference(*(opened(data).convert("RGB") for data in (one, other))).getbbox()
    assert box is not None
    return box[1], box[3]


def luminances(image: Image.Image) -> list[float]:
    """Relative luminance, as WCAG 2 defines it, of each colour in an image."""

    def linear(value: int) -> float:
        share = value / 255
        return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4

    colours = [colour for _, colour in image.convert("RGB").getcolors(1 << 16) or []]
    weights = (0.2126, 0.7152, 0.0722)
    return [
        sum(weight * linear(value) for weight, value in zip(weights, colour, strict=True))
        for colour in colours
        if isinstance(colour, tuple)
    ]


# --- picture_size -------------------------------------------------------------------------------


@given(
    width=st.integers(1, 100),
    height=st.integers(1, 100),
    tier=st.sampled_from([None, "1K", "2K", "4K", "9K", "480p", "720p", "1080p"]),
)
def test_size_is_the_largest_exact_multiple(width: int, height: int, tier: str | None) -> None:
    def fits(size: tuple[int, int]) -> bool:
        if tier is not None and tier.endswith("p"):
            return min(size) <= int(tier[:-1]) and max(size) <= 4096
        return max(size) <= min(int((tier or "1K")[:-1]) * 1024, 4096)

    size = picture_size(f"{width}:{height}", tier)

    assert size[0] * height == size[1] * width
    assert fits(size)
    divisor = gcd(width, height)
    assert not fits((size[0] + width // divisor, size[1] + height // divisor))


@pytest.mark.parametrize(
    ("aspect", "tier", "size"),
    [
        ("4:5", "1K", (816, 1020)),
        ("4:5", None, (816, 1020)),
        ("8:10", "1K", (816, 1020)),
        ("04:05", "1K", (816, 1020)),
        ("21:9", "2K", (2044, 876)),
        ("16:9", "720p", (1280, 720)),
        ("9:16", "720p", (720, 1280)),
        ("16:9", "480p", (848, 477)),
        ("16:9", "9999p", (4096, 2304)),
        ("1:1", "0K", (64, 64)),
        ("4:5", "1p", (52, 65)),
    ],
)
def test_size(aspect: str, tier: str | None, size: tuple[int, int]) -> None:
    assert picture_size(aspect, tier) == size


@pytest.mark.parametrize(
    "aspect",
    [
        None,
        "",
        "auto",
        "1",
        ":",
        "1:",
        "0:1",
        "1:0",
        "-1:2",
        "+1:2",
        "1.5:1",
        " 4:5",
        "4:5\n",
        "²:1",
    ],
)
def test_an_aspect_that_is_not_a_ratio_is_square(aspect: str | None) -> None:
    assert picture_size(aspect, "2K") == (2048, 2048)


@pytest.mark.parametrize("tier", [None, "", "K", "p", "1k", "0.5K", "-1K", "1K\n", "large", "²K"])
def test_any_other_tier_has_a_long_side_of_1024(tier: str | None) -> None:
    assert picture_size("2:1", tier) == (1024, 512)


@pytest.mark.parametrize(
    ("aspect", "size"),
    [
        ("1" + "0" * 5000 + ":1", (1024, 1)),
        ("1:" + "9" * 5000, (1, 1024)),
        ("4" * 5000 + ":" + "5" * 5000, (816, 1020)),
        ("4" * 45 + ":" + "5" * 90, (1, 1024)),
        ("0" * 5000 + "4:5", (816, 1020)),
        ("1" * 1_000_000 + ":" + "2" * 1_000_000, (512, 1024)),
        ("1" * 1_000_000, (1024, 1024)),
        ("1025:1", (1024, 1)),
        ("100000:99999", (1024, 1024)),
    ],
    ids=lambda value: str(value)[:12],
)
def test_size_of_an_extreme_ratio(aspect: str, size: tuple[int, int]) -> None:
    assert picture_size(aspect, "1K") == size


@pytest.mark.parametrize("unit", ["K", "p"])
def test_size_of_an_extreme_tier(unit: str) -> None:
    assert picture_size("2:1", "9" * 1_000_000 + unit) == (4096, 2048)
    assert picture_size("1:" + "9" * 5000, "9" * 5000 + unit) == (1, 4096)
    assert picture_size("2:1", "0" * 1_000_000 + unit) == (64, 32)
    assert picture_size("2:1", "0" * 1_000_000) == (1024, 512)


@given(width=DIGITS, height=DIGITS, number=DIGITS, unit=st.sampled_from("Kp"))
def test_size_stays_within_bounds(width: str, height: str, number: str, unit: str) -> None:
    size = picture_size(f"{width}:{height}", number + unit)
    assert min(size) >= 1
    assert 64 <= max(size) <= 4096


# --- draw: the encoded picture ------------------------------------------------------------------


@pytest.mark.parametrize("size", [(204, 255), (1, 1), (1, 1000), (1000, 1), (4096, 9)])
@pytest.mark.parametrize("format", FORMATS)
def test_picture_opens(format: str, size: tuple[int, int]) -> None:
    image = opened(picture(size=size, format=format, title="T", caption="C", text="A red fox"))
    assert image.size == size
    assert image.get_format_mimetype() == FORMATS[format]
    assert image.mode == ("P" if format == "gif" else "RGB")


@pytest.mark.parametrize("format", ["", "PNG", "image/png", "tiff", "\0"])
def test_unsupported_format(format: str) -> None:
    with pytest.raises(UnsupportedFormatError):
        picture(format=format)


@settings(deadline=None)
@given(width=SIDES, height=SIDES, title=ANY_TEXT, caption=ANY_TEXT, text=ANY_TEXT)
def test_any_text_can_be_drawn(width: int, height: int, title: str, caption: str, text: str) -> None:
    size = (width, height)
    first = picture(size=size, title=title, caption=caption, text=text)
    assert opened(first).size == size
    assert first == picture(size=size, title=title, caption=caption, text=text)


@pytest.mark.parametrize("unit", ["a", "a ", "\n", "\0", "\r\n", "\u0301", "中", "\u202e", "\ud800"])
def test_long_text_is_cut(unit: str) -> None:
    text = unit * 20_000
    assert picture(title=text, caption=text, text=text) == picture(title=text, caption=text, text=text + "never seen")


# --- draw: what can be seen ---------------------------------------------------------------------


def test_title_is_above_text() -> None:
    blank = picture(caption="task-1")
    _, title_end = changed_rows(blank, picture(caption="task-1", title="Fox"))
    text_start, text_end = changed_rows(blank, picture(caption="task-1", text="A red fox"))
    assert 0 < title_end < text_start < text_end < 240


def test_text_is_shown() -> None:
    assert picture(text="A red fox") != picture(text="A red fix")
    assert picture(title="A red fox") != picture(title="A red fix")


@pytest.mark.parametrize("size", [(30, 240), (240, 20)])
def test_text_without_room_is_left_out(size: tuple[int, int]) -> None:
    assert picture(size=size, text="A red fox") == picture(size=size)


def test_pictures_of_different_captions_differ_even_without_room_for_them() -> None:
    captions = [f"task-{number}" for number in range(64)]
    assert len({picture(size=(16, 16), caption=caption) for caption in captions}) == 64


def test_characters_without_a_glyph_are_told_apart() -> None:
    texts = ["中", "国", "é", "🦊", "م", "\u0301", "\0", "\t", "\r", "\x7f", "\ud800", "\U0010ffff"]
    for one, other in combinations(texts, 2):
        assert picture(text=one) != picture(text=other), (one, other)


def test_lines_are_broken_between_words() -> None:
    assert picture(text="mmmmmmm mmmmmmm") == picture(text="mmmmmmm\nmmmmmmm")


def test_newlines_break_lines() -> None:
    assert picture(text="a\nb") == picture(text="a\r\nb")
    assert len({picture(text=text) for text in ("a\nb", "a\n\nb", "a b", "ab")}) == 4


@pytest.mark.parametrize("number", range(24))
def test_the_faintest_writing_is_readable_on_the_lightest_background(number: int) -> None:
    # The caption is fainter than title and text. The glow is brightest in the upper half.
    image = opened(picture(size=(800, 800), caption=f"HHH-{number}"))
    background = max(luminances(image.crop((0, 0, 800, 400))))
    writing = max(luminances(image.crop((0, 400, 800, 800))))
    assert (writing + 0.05) / (background + 0.05) >= 4.5
