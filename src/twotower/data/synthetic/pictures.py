"""A picture for each product, drawn from its type and colour; the drawings are `pictures.toml`."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Final

_FIXED: Final = {
    "k": "#3b3e44",
    "w": "#b48a5f",
    "b": "#cfa75b",
    "g": "#c6d0d6",
    "n": "#6f9a70",
    "p": "#fcfaf6",
    "y": "#f7e2a4",
}
_PAPER: Final = "#f8f5ef"
_SLATE: Final = "#8796a5"
_BRIGHT: Final = 0.8
"""A product brighter than this stands before slate, or it would vanish in its own tint."""
_BACKDROPS: Final = (
    "<circle cx='50' cy='49' r='41' fill='{c}'/>",
    "<path d='M13 100V50a37 37 0 0 1 74 0v50z' fill='{c}'/>",
    "<path d='M0 72h100v28H0z' fill='{c}'/>",
    "<path d='M0 64q28-20 54-6t46-8v50H0z' fill='{c}'/>",
)
"""Behind the product, in a tint of its colour: a disc, an arch, a floor, a hill."""
BACKDROPS: Final = len(_BACKDROPS)
"""How many different backdrops there are."""
_ESCAPES: Final = str.maketrans({"%": "%25", "#": "%23", "<": "%3C", ">": "%3E", '"': "%22"})
_SHAPES: Final = {
    "r": ("rect", ("x", "y", "width", "height", "rx")),
    "c": ("circle", ("cx", "cy", "r")),
    "e": ("ellipse", ("cx", "cy", "rx", "ry")),
}


@cache
def picture(kind: str, colour: str, *, variant: int = 0) -> str:
    """The product as a `data:image/svg+xml,` URI of at most 1.5 KB or so.

    Args:
        kind: key of the product type.
        colour: sRGB value, `#rrggbb`.
        variant: which backdrop.
    """
    tint = _SLATE if _brightness(colour) > _BRIGHT else colour
    svg = (
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 100 100'>"
        f"<path d='M0 0h100v100H0z' fill='{_mix(tint, _PAPER, 0.87)}'/>"
        f"{_BACKDROPS[variant % BACKDROPS].format(c=_mix(tint, _PAPER, 0.74))}"
        "<ellipse cx='50' cy='84' rx='36' ry='3.5' opacity='.13'/>"
        f"{_drawn(_drawings()[kind], colour)}</svg>"
    )
    return "data:image/svg+xml," + svg.translate(_ESCAPES)


def _drawn(drawing: str, colour: str) -> str:
    """The parts as SVG."""
    shades = _FIXED | {
        "m": colour,
        "d": _mix(colour, "#000000", 0.24),
        "l": _mix(colour, "#ffffff", 0.34),
    }
    return "".join(_part(part.split(maxsplit=2), shades) for part in drawing.split(";"))


def _part(part: list[str], shades: dict[str, str]) -> str:
    letter, shape, numbers = part
    shade = shades[letter]
    if shape == "p":
        return f"<path d='{numbers.strip()}' fill='{shade}'/>"
    if shape == "s":
        width, path = numbers.split(maxsplit=1)
        return (
            f"<path d='{path.strip()}' fill='none' stroke='{shade}' "
            f"stroke-width='{width}' stroke-linecap='round'/>"
        )
    tag, names = _SHAPES[shape]
    places = " ".join(
        f"{name}='{value}'" for name, value in zip(names, numbers.split(), strict=False)
    )
    return f"<{tag} {places} fill='{shade}'/>"


def _mix(colour: str, other: str, share: float) -> str:
    """A colour with this share of another one in it."""
    channels = (
        round(int(colour[n : n + 2], 16) * (1 - share) + int(other[n : n + 2], 16) * share)
        for n in (1, 3, 5)
    )
    return "#" + "".join(f"{channel:02x}" for channel in channels)


def _brightness(colour: str) -> float:
    red, green, blue = (int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5))
    return 0.3 * red + 0.59 * green + 0.11 * blue


@cache
def _drawings() -> dict[str, str]:
    found: dict[str, str] = tomllib.loads(
        files(__package__).joinpath("pictures.toml").read_text("utf-8")
    )
    return found
