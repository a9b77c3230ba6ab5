"""Pictures for completed tasks, drawn on request and never stored.

A picture is drawn in one channel of *tones*, which a palette then turns into colours::

    0 ........... _PAPER ............... _MUTED ........... _INK
    background,          edges of letters,   caption,       title
    lit by a glow        frames              code points    and text

The hue of the palette comes from the caption, so that pictures differ. Its lightness is fixed, at
a contrast of 4.5:1 or more (WCAG 2, level AA) between writing and background in every hue.

The only font at hand is the one embedded in Pillow, and it covers little beyond ASCII. A character
without a glyph, any control character among them, is shown as its code point in a frame.
"""

import colorsys
import hashlib
import io
import unicodedata
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import groupby, islice
from typing import Any, cast

from PIL import Image, ImageDraw, ImageFont

from mock_server.pictures import FORMATS

__all__ = ["UnsupportedFormatError", "draw"]

# Keyed by media type. Speed comes before size: each is the encoder's quickest setting that still
# compresses, as a picture is encoded anew for each request.
_ENCODERS: Mapping[str, Mapping[str, Any]] = {
    "image/png": {"format": "PNG", "compress_level": 1},
    "image/jpeg": {"format": "JPEG", "quality": 88},
    "image/webp": {"format": "WEBP", "quality": 85, "method": 0},
    "image/gif": {"format": "GIF"},
}

_SMALLEST_TYPE = 8  # pixels: below this the font is not legible

# Tones.
_PAPER, _FRAME, _MUTED, _INK = 96, 132, 214, 255

# What part of the picture's short side the type takes up, roughly.
_TITLE, _CAPTION, _TEXT = 22, 40, (10, 13, 17, 22, 28, 36, 46)


class UnsupportedFormatError(ValueError):
    """A format that is not in `FORMATS`."""


def draw(*, size: tuple[int, int], format: str, title: str, caption: str, text: str) -> bytes:
    """An encoded picture: title at the top, caption at the bottom, text in between.

    `size` is width and height in pixels, each at least 1. Any strings will do: the text is
    wrapped, and what does not fit is cut with an ellipsis or, in a tiny picture, left out. The
    bytes depend on the arguments alone.

    Raises `UnsupportedFormatError` if `format` is not a key of `FORMATS`.
    """
    if format not in FORMATS:
        raise UnsupportedFormatError(f"{format!r} is not one of {', '.join(FORMATS)}")
    seed = hashlib.blake2b(caption.encode(errors="surrogatepass"), digest_size=4).digest()
    picture = _paper(size, seed)
    _compose(picture, title, caption, text)
    picture.putpalette(_palette(seed))

    media_type = FORMATS[format]
    if media_type != "image/gif":
        # PNG has palettes too, several times quicker to encode. But clients expect RGB: some,
        # for one, save what they got as JPEG, which has none.
        picture = picture.convert("RGB")
    file = io.BytesIO()
    picture.save(file, **_ENCODERS[media_type])
    return file.getvalue()


def _paper(size: tuple[int, int], seed: bytes) -> Image.Image:
    """A glow somewhere in the upper part, in tones from 0 to `_PAPER`."""
    x, y = seed[2] / 2, 96 + seed[3] / 4
    glow = Image.radial_gradient("L")  # 256 x 256, bright at the rim
    glow = glow.resize(size, Image.Resampling.BILINEAR, box=(x, y, x + 128, y + 96))
    return glow.point([_PAPER * (255 - value) // 255 for value in range(256)])


def _palette(seed: bytes) -> list[int]:
    """256 colours, as R, G, B in turn."""
    hue = int.from_bytes(seed[:2]) / 65536
    stops = [
        (0, colorsys.hls_to_rgb(hue, 0.09, 0.6)),
        (_PAPER, colorsys.hls_to_rgb(hue + 0.08, 0.21, 0.6)),
        (_INK, colorsys.hls_to_rgb(hue + 0.08, 0.96, 0.8)),
    ]
    colours: list[int] = []
    for tone in range(256):
        (low, dark), (high, light) = stops[:2] if tone < _PAPER else stops[1:]
        share = (tone - low) / (high - low)
        colours += (round(255 * (a + (b - a) * share)) for a, b in zip(dark, light, strict=True))
    return colours


def _compose(picture: Image.Image, title: str, caption: str, text: str) -> None:
    """Write the three texts, as far as there is room: the title first, the text last."""
    pen = ImageDraw.Draw(picture)
    unit = min(picture.size)
    margin = max(4, unit // 14)
    width = picture.width - 2 * margin
    top, bottom = margin, picture.height - margin

    size = _type_size(unit, _TITLE)
    lines, _ = _fit(title, size, width, min(1, (bottom - top) // _leading(size)))
    _write(pen, (margin, top), lines, size, _INK)
    top += 2 * size

    size = _type_size(unit, _CAPTION)
    bottom -= _leading(size)
    lines, _ = _fit(caption, size, width, int(bottom >= top))
    _write(pen, (margin, bottom), lines, size, _MUTED)
    bottom -= size

    # As large as the whole text allows. A line of more than 46 em is tiring to read.
    for part in _TEXT:
        size = _type_size(unit, part)
        lines, whole = _fit(text, size, min(width, 46 * size), (bottom - top) // _leading(size))
        if whole:
            break
    _write(pen, (margin, bottom - len(lines) * _leading(size)), lines, size, _INK)


def _write(pen: ImageDraw.ImageDraw, at: tuple[int, int], lines: list[str], size: int, tone: int) -> None:
    """Write lines of type of `size` pixels, the first one's top left corner `at` x and y."""
    left, top = at
    font, small = _font(size), _font(_escape_size(size))
    hair = max(1, size // 32)
    for line in lines:
        x, baseline = float(left), top + size
        # Runs, not characters, so that the font's kerning applies.
        for shown, run in groupby(line, _has_glyph):
            if shown:
                letters = "".join(run)
                pen.text((x, baseline), letters, tone, font, anchor="ls")
                x += font.getlength(letters)
                continue
            for char in run:
                step = _advance(char, size)
                middle = baseline - size * 0.36
                above, below = middle - size * 0.46, middle + size * 0.46
                frame = (x + hair, above, x + step - 2 * hair, below)
                pen.rectangle(frame, outline=_FRAME, width=hair)
                pen.text((x + step / 2, middle), _code(char), _MUTED, small, anchor="mm")
                x += step
        top += _leading(size)


def _fit(text: str, size: int, width: int, count: int) -> tuple[list[str], bool]:
    """Up to `count` lines of at most `width` pixels, and whether they hold the whole text."""
    if count < 1 or width < 5 * size:
        return [], False
    lines = list(islice(_wrap(text, size, width), count + 1))
    if len(lines) <= count:
        return lines, True
    last = lines[count - 1]
    while last and sum(_advance(char, size) for char in last + "…") > width:
        last = last[:-1]
    return [*lines[: count - 1], last.rstrip(" ") + "…"], False


def _wrap(text: str, size: int, width: int) -> Iterator[str]:
    """Lines of at most `width` pixels; lazy, as most of a long text is never looked at."""
    for paragraph in text.replace("\r\n", "\n").split("\n"):
        start = stop = 0  # of the line, up to the last place where it may be broken
        used = kept = 0.0  # pixels since the start, and since the stop
        for index, char in enumerate(paragraph):
            step = _advance(char, size)
            if unicodedata.east_asian_width(char) in "WF":
                stop, kept = index, 0.0  # as such scripts do without spaces
            if used + step > width and index > start and char != " ":
                if stop == start:
                    stop, kept = index, 0.0
                yield paragraph[start:stop].rstrip(" ")
                start, used = stop, kept
            used += step
            kept += step
            if char == " ":
                stop, kept = index + 1, 0.0
        yield paragraph[start:].rstrip(" ")


def _type_size(unit: int, part: int) -> int:
    """Pixels; type shrinks more slowly than the picture does."""
    return max(_SMALLEST_TYPE, unit // part + 4)


def _leading(size: int) -> int:
    """Pixels from one baseline to the next."""
    return size * 4 // 3


def _escape_size(size: int) -> int:
    """Pixels; the type of a code point among type of `size`."""
    return max(_SMALLEST_TYPE, size * 5 // 8)


def _code(char: str) -> str:
    return f"{ord(char):04X}"


@lru_cache(maxsize=64)
def _font(size: int) -> ImageFont.FreeTypeFont:
    # With a size given, Pillow returns no other kind of font; it raises instead.
    return cast("ImageFont.FreeTypeFont", ImageFont.load_default(size))


@lru_cache(maxsize=16384)
def _advance(char: str, size: int) -> float:
    """Pixels that a character takes up in a line, kerning aside."""
    if _has_glyph(char):
        return _font(size).getlength(char)
    small = _escape_size(size)
    return sum(_advance(digit, small) for digit in _code(char)) + small


@lru_cache(maxsize=16384)
def _has_glyph(char: str) -> bool:
    """Whether the font can show a character.

    Pillow has no way to ask, but draws one and the same box for whatever the font lacks.
    """
    return _mask(char) != _box()


@lru_cache(maxsize=1)
def _box() -> tuple[tuple[int, int], bytes]:
    # Unicode guarantees that U+10FFFF never becomes a character.
    return _mask("\U0010ffff")


def _mask(char: str) -> tuple[tuple[int, int], bytes]:
    mask = _font(16).getmask(char)
    return mask.size, bytes(mask)
