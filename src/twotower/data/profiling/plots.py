"""Numbers as pictures: columns and curves as inline SVG, rows as HTML. Colours are the page's."""

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

Bar = tuple[str, Mapping[str, float]]
"""A label, and the height of each part, from the bottom."""

_NARROW, _WIDE, _HEIGHT = 520, 1120, 200
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 8, 14, 26
_LABEL_WIDTH: Final = 92
_SHORT: Final = 9
"""So many labels always have room."""
_LINES: Final = 4
_STEPS: Final = (1, 1.25, 1.5, 2, 2.5, 3, 4, 5, 7.5, 10)


def columns(
    bars: Sequence[Bar], *, title: str, marks: Mapping[int, str] | None = None, wide: bool = False
) -> str:
    """Upright bars, their parts stacked, with a scale on the left.

    Args:
        bars: from left to right.
        title: what is drawn, for people who cannot see it.
        marks: a word at the left edge of some bars, by their place.
        wide: drawn over the whole page.
    """
    width = _WIDE if wide else _NARROW
    top = nice(max((sum(parts.values()) for _, parts in bars), default=0.0))
    step = (width - _LEFT - _RIGHT) / max(len(bars), 1)
    names = list(dict.fromkeys(name for _, parts in bars for name in parts))
    drawn = [_grid(top, width)]
    for place, (label, parts) in enumerate(bars):
        drawn.append(_stack(label, parts, names, _LEFT + place * step, step, top))
    every = max(1, math.ceil(len(bars) * _LABEL_WIDTH / width)) if len(bars) > _SHORT else 1
    drawn += [_tick(bars[n][0], n, step) for n in range(0, len(bars), every)]
    for count, (place, word) in enumerate(sorted((marks or {}).items())):
        drawn.append(_mark(word, _LEFT + place * step, before=count == 0))
    return (legend(names) if len(names) > 1 else "") + _svg(title, width, drawn)


def curve(points: Sequence[tuple[float, float]], *, title: str, across: str, up: str) -> str:
    """A line through shares from 0 to 1, above the diagonal of an even distribution.

    Args:
        points: (share, share), growing.
        title: what is drawn, for people who cannot see it.
        across: what the shares to the right are of.
        up: what the shares upwards are of.
    """
    wide, high, right = _NARROW - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM, _NARROW - _RIGHT
    places = [(_LEFT + x * wide, _TOP + (1 - y) * high) for x, y in [(0.0, 0.0), *points]]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    base = _HEIGHT - _BOTTOM
    return _svg(title, _NARROW, [
        _grid(1.0, _NARROW, percent=True),
        f'<polygon points="{line} {right},{base} {_LEFT},{base}" class="area"/>',
        f'<line x1="{_LEFT}" y1="{base}" x2="{right}" y2="{_TOP}" class="even"/>',
        f'<polyline points="{line}" class="line"/>',
        f'<text x="{_LEFT + 6}" y="{_TOP + 10}">{escape(up)}</text>',
        f'<text x="{right}" y="{base + 16}" class="end">{escape(across)}</text>',
    ])  # fmt: skip


def rows(values: Mapping[str, float], *, of: float | None = None, percent: bool = False) -> str:
    """Bars that lie, one for each name, with its number.

    Args:
        values: from top to bottom.
        of: what a full bar stands for; the largest value when left out.
        percent: values are shares.
    """
    whole = of or max(values.values(), default=0.0) or 1.0
    told = {name: f"{value:.1%}" if percent else number(value) for name, value in values.items()}
    lines = (
        f'<li class="row">{_row(name, value / whole, told[name])}</li>'
        for name, value in values.items()
    )
    return f'<ul class="rows">{"".join(lines)}</ul>'


def tree(branches: Sequence[tuple[str, float, Mapping[str, float]]]) -> str:
    """Bars that open: each name with its number and, below, those of its parts.

    Args:
        branches: name, number and parts, from top to bottom.
    """
    whole = max((count for _, count, _ in branches), default=0.0) or 1.0
    return "".join(
        f'<details><summary class="row">{_row(name, count / whole, number(count))}</summary>'
        f"{rows(parts, of=count)}</details>"
        if parts
        else f'<div class="row">{_row(name, count / whole, number(count))}</div>'
        for name, count, parts in branches
    )


def _row(name: str, share: float, told: str) -> str:
    return (
        f'<span class="name">{escape(name)}</span>'
        f'<span class="track"><i style="width:{100 * share:.1f}%"></i></span><span>{told}</span>'
    )


def legend(names: Sequence[str]) -> str:
    """What the colours stand for."""
    marks = (f'<li><i class="s{n % 4}"></i>{escape(name)}</li>' for n, name in enumerate(names))
    return f'<ul class="legend">{"".join(marks)}</ul>'


def number(value: float) -> str:
    """A number as it is read: 1,234 or 12.5.

    Example:
        >>> number(1234.0), number(12.34)
        ('1,234', '12.3')
    """
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:,.3g}"


def nice(top: float) -> float:
    """The end of a scale: four round steps that reach the largest value.

    Example:
        >>> nice(87), nice(3), nice(4500)
        (100.0, 4.0, 5000.0)
    """
    if top <= 0:
        return 1.0
    size = 10.0 ** math.floor(math.log10(top / _LINES))
    step = next(step for step in _STEPS if step * size * _LINES >= top * 0.999)
    return max(step * size, 1.0) * _LINES


def _stack(
    label: str,
    parts: Mapping[str, float],
    names: Sequence[str],
    left: float,
    step: float,
    top: float,
) -> str:
    high, base, drawn = _HEIGHT - _TOP - _BOTTOM, float(_HEIGHT - _BOTTOM), []
    gap = min(2.0, step * 0.15)
    for name, value in parts.items():
        tall = value / top * high
        base -= tall
        told = f"{label}: {number(value)}" + (f" {name}" if len(parts) > 1 else "")
        drawn.append(
            f'<rect x="{left + gap / 2:.1f}" y="{base:.1f}" width="{step - gap:.1f}" '
            f'height="{tall:.1f}" class="s{names.index(name) % 4}">'
            f"<title>{escape(told)}</title></rect>"
        )
    return "".join(drawn)


def _grid(top: float, width: int, *, percent: bool = False) -> str:
    high, drawn = _HEIGHT - _TOP - _BOTTOM, []
    for line in range(_LINES + 1):
        y, value = _HEIGHT - _BOTTOM - line * high / _LINES, top * line / _LINES
        told = f"{value:.0%}" if percent else short(value)
        drawn.append(
            f'<line x1="{_LEFT}" x2="{width - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}" class="grid"/>'
            f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" class="end">{told}</text>'
        )
    return "".join(drawn)


def short(value: float) -> str:
    """A number for a scale.

    Example:
        >>> short(12_000), short(2_500_000), short(7)
        ('12k', '2.5M', '7')
    """
    for size, sign in ((1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g}{sign}"
    return f"{value:g}"


def _tick(label: str, place: int, step: float) -> str:
    x = _LEFT + (place + 0.5) * step
    return f'<text x="{x:.1f}" y="{_HEIGHT - 8}" class="mid">{escape(label)}</text>'


def _mark(word: str, x: float, *, before: bool) -> str:
    at, kind = (x - 5, "end strong") if before else (x + 5, "strong")
    return (
        f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP - 8}" y2="{_HEIGHT - _BOTTOM}" class="mark"/>'
        f'<text x="{at:.1f}" y="{_TOP}" class="{kind}">{escape(word)}</text>'
    )


def _svg(title: str, width: int, parts: Sequence[str]) -> str:
    return (
        f'<svg viewBox="0 0 {width} {_HEIGHT}" role="img" aria-label="{escape(title, quote=True)}">'
        f"{''.join(parts)}</svg>"
    )
