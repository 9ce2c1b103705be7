"""Charts as SVG, written out: a picture of a few hundred numbers needs no package."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from html import escape

MOST_SERIES = 8
MOST_PLACES = 60

Series = Mapping[str, Sequence[float | None]]
"""Values by name, one for each place on the axis; None where there is none."""

# Okabe and Ito's colours, which people of any colour vision tell apart, in an order in which neighbours differ most
_COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#7a6a00", "#5c6370")
_WIDTH, _HEIGHT = 860, 420
_LEFT, _TOP, _BOTTOM = 76, 46, 70
_LETTER = 6.6
"""Width of a letter of the labels, in pixels, on the average."""
_STYLE = """
    text { font: 12px system-ui, 'Segoe UI', sans-serif; fill: #5c6370; }
    .title { font-size: 14px; font-weight: 600; fill: #1f2430; }
    .mid { text-anchor: middle; } .end { text-anchor: end; }
    .grid { stroke: #e3e6ec; } .axis { stroke: #8a92a2; }
    .line { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }"""


class _Frame:
    """Where things are: the axes of a chart."""

    def __init__(self, places: Sequence[str], series: Series) -> None:
        longest = max((len(name) for name in series), default=0)
        self.right = _WIDTH - (40 + min(longest, 28) * _LETTER)
        self.bottom = _HEIGHT - _BOTTOM
        known = [value for values in series.values() for value in values if value is not None]
        self.ticks = _ticks(min([0.0, *known]), max([0.0, *known]))
        self.step = (self.right - _LEFT) / len(places)

    def x(self, place: float) -> float:
        """The middle of a place."""
        return _LEFT + self.step * (place + 0.5)

    def y(self, value: float) -> float:
        low, high = self.ticks[0], self.ticks[-1]
        return self.bottom - (self.bottom - _TOP) * (value - low) / (high - low)


def lines(title: str, places: Sequence[str], series: Series) -> str:
    """A line for each series; it breaks where a value is missing."""
    frame = _Frame(places, series)
    drawn = []
    for colour, (name, values) in zip(_COLOURS, series.items(), strict=False):
        for piece in _pieces(values):
            points = " ".join(f"{frame.x(at):.1f},{frame.y(value):.1f}" for at, value in piece)
            drawn.append(f'<polyline class="line" stroke="{colour}" points="{points}"/>')
            drawn += [
                f'<circle cx="{frame.x(at):.1f}" cy="{frame.y(value):.1f}" r="3.5" fill="{colour}">'
                f"<title>{_tooltip(name, places[at], value)}</title></circle>"
                for at, value in piece
            ]
    return _page(title, places, series, frame, drawn)


def bars(title: str, places: Sequence[str], series: Series) -> str:
    """The series side by side at each place."""
    frame = _Frame(places, series)
    width = frame.step * 0.76 / len(series)
    drawn = []
    for number, (colour, (name, values)) in enumerate(zip(_COLOURS, series.items(), strict=False)):
        for at, value in enumerate(values):
            if value is None:
                continue
            left = frame.x(at) - width * len(series) / 2 + width * number
            top, bottom = sorted((frame.y(value), frame.y(0)))
            drawn.append(
                f'<rect x="{left:.1f}" y="{top:.1f}" width="{max(width - 1, 0.5):.1f}" height="{bottom - top:.1f}" '
                f'fill="{colour}"><title>{_tooltip(name, places[at], value)}</title></rect>'
            )
    return _page(title, places, series, frame, drawn)


def _pieces(values: Sequence[float | None]) -> Iterator[list[tuple[int, float]]]:
    piece: list[tuple[int, float]] = []
    for at, value in enumerate(values):
        if value is not None:
            piece.append((at, value))
        elif piece:
            yield piece
            piece = []
    if piece:
        yield piece


def _tooltip(name: str, place: str, value: float) -> str:
    return escape(f"{name}, {place}: {value:,.10g}")


def _page(title: str, places: Sequence[str], series: Series, frame: _Frame, drawn: Sequence[str]) -> str:
    size = f'viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">',
        f"<title>{escape(title)}</title>",
        f"<style>{_STYLE}\n  </style>",
        '<rect width="100%" height="100%" fill="#fff"/>',
        f'<text x="16" y="26" class="title">{escape(_short(title, 110))}</text>',
        *_axes(places, frame),
        *drawn,
        *_legend(series, frame),
        "</svg>",
    ]
    return "\n  ".join(parts[:-1]) + f"\n{parts[-1]}\n"


def _axes(places: Sequence[str], frame: _Frame) -> Iterator[str]:
    for tick in frame.ticks:
        y, kind = frame.y(tick), "axis" if tick == 0 else "grid"
        yield f'<path class="{kind}" d="M{_LEFT} {y:.1f} H{frame.right:.1f}"/>'
        yield f'<text class="end" x="{_LEFT - 8}" y="{y + 4:.1f}">{_number(tick, frame.ticks)}</text>'
    longest = max(map(len, places)) * _LETTER
    # labels that do not fit side by side are left out, or turned when they are names
    turned = longest > frame.step and longest > 60
    every = 1 if turned else max(math.ceil((longest + 10) / frame.step), 1)
    for at, place in enumerate(places):
        x, y = frame.x(at), frame.bottom + 18
        if turned:
            turn = f"translate({x + 4:.1f} {y:.1f}) rotate(-30)"
            yield f'<text class="end" transform="{turn}">{escape(_short(place, 15))}</text>'
        elif at % every == 0:
            yield f'<text class="mid" x="{x:.1f}" y="{y:.1f}">{escape(place)}</text>'


def _legend(series: Series, frame: _Frame) -> Iterator[str]:
    for number, (colour, name) in enumerate(zip(_COLOURS, series, strict=False)):
        y = _TOP + 10 + 22 * number
        yield f'<rect x="{frame.right + 16:.1f}" y="{y - 10}" width="11" height="11" rx="2" fill="{colour}"/>'
        yield f'<text x="{frame.right + 33:.1f}" y="{y}">{escape(_short(name, 28))}</text>'


def _short(words: str, length: int) -> str:
    return words if len(words) <= length else f"{words[: length - 1]}…"


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers from at most `low` to at least `high`, about five steps apart."""
    span = (high - low) or 1.0
    magnitude = 10.0 ** math.floor(math.log10(span / 5))
    step = next(magnitude * factor for factor in (1, 2, 2.5, 5, 10) if span <= 5 * magnitude * factor)
    first, last = math.floor(low / step), math.ceil((high or low + span) / step)
    return [number * step for number in range(first, last + 1)]


def _number(tick: float, ticks: Sequence[float]) -> str:
    step = ticks[1] - ticks[0]
    for unit, size in (("bn", 1e9), ("m", 1e6), ("k", 1e3)):
        if step >= size / 10 and abs(ticks[-1]) >= size:
            return f"{tick / size:,.3g}{unit if tick else ''}"
    return f"{tick:,.10g}"
