"""What a search may change: for each field of a recipe, the values it may take."""

from collections.abc import Mapping
from dataclasses import dataclass

from twotower.errors import ConfigError

Value = float | int | str | bool


@dataclass(frozen=True)
class Choice:
    """One of some values.

    Attributes:
        values: at least two.
    """

    values: tuple[Value, ...]

    def __post_init__(self) -> None:
        if len(self.values) < 2:
            raise ConfigError(f"a choice needs at least two values, got {self.values}")

    @property
    def ends(self) -> tuple[Value, ...]:
        """Values that stand for all of them."""
        return self.values

    def holds(self, value: object) -> bool:
        """Whether the value is one of them."""
        return value in self.values


@dataclass(frozen=True)
class Range:
    """A number between two others, both included.

    Attributes:
        low: the smallest.
        high: the largest.
        log: whether it is drawn evenly in its logarithm; `low` is above 0 then.
    """

    low: float
    high: float
    log: bool = False

    def __post_init__(self) -> None:
        if not self.low < self.high or (self.log and self.low <= 0):
            raise ConfigError(
                f"a range must rise, and be above 0 where it is logarithmic, got {self}"
            )

    @property
    def ends(self) -> tuple[Value, ...]:
        """Values that stand for all of them."""
        return self.low, self.high

    def holds(self, value: object) -> bool:
        """Whether the value is a number in the range."""
        return isinstance(value, int | float) and self.low <= value <= self.high


Space = Mapping[str, Choice | Range]
"""Path of a field, such as `towers.width` -> what it may be."""
