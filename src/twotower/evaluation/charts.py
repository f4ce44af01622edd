"""Charts as inline SVG text: bars with intervals, curves, reliability; the page has the colours."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from twotower.evaluation.significance import FEWEST

_WIDTH = 720
_LABEL = 150
_BAR = 12
_GAP = 10
_PLOT_WIDTH = 340
_PLOT_HEIGHT = 150
_MARGIN = 44
_COLOURS = 6


def bars(groups: Sequence[tuple[str, Mapping[str, Mapping[str, float]]]], *, title: str) -> str:
    """Horizontal bars with interval whiskers: one group per slice, one bar per system.

    Args:
        groups: (label, system -> {mean, low, high, n}) from top to bottom; with too few cases
            for an interval there is no whisker.
        title: For people who cannot see the picture.

    Returns:
        An `<svg>` element; bar i of a group has the class `colour(i)`.
    """
    numbers = [number for _, group in groups for number in group.values()]
    largest = max((_reach(number)[1] for number in numbers), default=0.0) or 1.0
    span = _WIDTH - _LABEL - 70
    parts, top = [], 4
    for label, group in groups:
        middle = top + (_BAR + 2) * len(group) / 2 + 2
        parts.append(
            f'<text x="{_LABEL - 10}" y="{middle:.0f}" class="label">{escape(label)}</text>'
        )
        for place, number in enumerate(group.values()):
            parts.append(_bar(number, place, top, span / largest))
            top += _BAR + 2
        top += _GAP
    axis = f'<line x1="{_LABEL}" x2="{_LABEL}" y1="0" y2="{top - _GAP + 4}" class="axis"/>'
    return _svg(_WIDTH, top, title, [*parts, axis])


def curve(points: Sequence[tuple[float, float]], *, title: str) -> str:
    """One line over steps, with the ends of both axes and the last value labelled.

    Args:
        points: (step, value), at least one, in order.
        title: Name of what is drawn.

    Returns:
        An `<svg>` element.
    """
    xs, ys = [x for x, _ in points], [y for _, y in points]
    across = (_PLOT_WIDTH - _MARGIN - 56) / ((max(xs) - min(xs)) or 1)
    up = (_PLOT_HEIGHT - 44) / ((max(ys) - min(ys)) or 1)

    def place(x: float, y: float) -> tuple[float, float]:
        return _MARGIN + (x - min(xs)) * across, _PLOT_HEIGHT - 22 - (y - min(ys)) * up

    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(*point) for point in points))
    end_x, end_y = place(*points[-1])
    base = _PLOT_HEIGHT - 22
    return _svg(
        _PLOT_WIDTH,
        _PLOT_HEIGHT,
        title,
        [
            f'<line x1="{_MARGIN}" x2="{_PLOT_WIDTH - 52}" y1="{base}" y2="{base}" class="axis"/>',
            f'<polyline points="{line}" class="line"/>',
            f'<circle cx="{end_x:.1f}" cy="{end_y:.1f}" r="3" class="dot"/>',
            f'<text x="{end_x + 7:.1f}" y="{end_y + 4:.1f}" class="value">{ys[-1]:.4g}</text>',
            f'<text x="{_MARGIN - 6}" y="{base}" class="label">{min(ys):.3g}</text>',
            f'<text x="{_MARGIN - 6}" y="26" class="label">{max(ys):.3g}</text>',
            f'<text x="{_MARGIN}" y="{base + 15}" class="value">{min(xs):g}</text>',
            f'<text x="{_PLOT_WIDTH - 52}" y="{base + 15}" class="label">{max(xs):g}</text>',
        ],
    )


def reliability(bins: Sequence[Mapping[str, float]], *, title: str) -> str:
    """What was observed over what was predicted: on the diagonal where probabilities hold.

    Args:
        bins: {predicted, observed, n}, each 0..1, from the lowest to the highest.
        title: For people who cannot see the picture.

    Returns:
        An `<svg>` element.
    """
    side = _PLOT_WIDTH - 2 * _MARGIN
    left, base = _MARGIN, side + 12

    def place(one: Mapping[str, float]) -> tuple[float, float]:
        return left + one["predicted"] * side, base - one["observed"] * side

    places = [place(one) for one in bins]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    dots = [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" class="dot"/>' for x, y in places]
    return _svg(
        _PLOT_WIDTH,
        base + 22,
        title,
        [
            f'<line x1="{left}" x2="{left + side}" y1="{base}" y2="{base - side}" class="axis"/>',
            f'<line x1="{left}" x2="{left + side}" y1="{base}" y2="{base}" class="axis"/>',
            f'<line x1="{left}" x2="{left}" y1="{base}" y2="{base - side}" class="axis"/>',
            f'<polyline points="{line}" class="line"/>',
            *dots,
            f'<text x="{left - 6}" y="{base}" class="label">0</text>',
            f'<text x="{left - 6}" y="{base - side + 8}" class="label">1</text>',
            f'<text x="{left}" y="{base + 15}" class="value">predicted</text>',
            f'<text x="{left + side}" y="{base + 15}" class="label">1</text>',
        ],
    )


def series(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[tuple[float, float]]]:
    """The numeric columns of a training curve over its `step` or `epoch`.

    Args:
        rows: {epoch or step, NAME: number, ...}; other values are left out.

    Returns:
        NAME -> [(step, value)], in order of appearance.
    """
    found: dict[str, list[tuple[float, float]]] = {}
    for place, row in enumerate(rows):
        step = row.get("step", row.get("epoch", place))
        for name, value in row.items():
            if name not in ("step", "epoch") and _is_number(value):
                found.setdefault(name, []).append((float(step), float(value)))
    return found


def colour(place: int) -> str:
    """CSS class of the system at this place of a chart and of its legend."""
    return f"series-{place % _COLOURS}"


def _bar(number: Mapping[str, float], place: int, top: float, scale: float) -> str:
    low, high = (_LABEL + end * scale for end in _reach(number))
    mean = _LABEL + number["mean"] * scale
    told = f"{number['mean']:.4f}" + ("?" if number["n"] < FEWEST else "")
    middle = top + _BAR / 2
    return (
        f'<rect x="{_LABEL}" y="{top}" width="{max(mean - _LABEL, 0.5):.1f}" height="{_BAR}" '
        f'rx="2" class="{colour(place)}"/>'
        f'<line x1="{low:.1f}" x2="{high:.1f}" y1="{middle}" y2="{middle}" class="whisker"/>'
        f'<text x="{high + 6:.1f}" y="{middle + 4}" class="value">{told}</text>'
    )


def _reach(number: Mapping[str, float]) -> tuple[float, float]:
    """From where to where the whisker goes."""
    if number["n"] < FEWEST:
        return number["mean"], number["mean"]
    return number["low"], number["high"]


def _svg(width: float, height: float, title: str, parts: Sequence[str]) -> str:
    return (
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(title, quote=True)}">'
        f"<title>{escape(title)}</title>{''.join(parts)}</svg>"
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value
