"""How a shop's tables become a dataset: every setting of `prepare`, checked."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from twotower.data.clean import CleanConfig, UnknownItems
from twotower.data.duplicates import NearIdentical
from twotower.data.outliers import Bots
from twotower.data.refusals import OnError
from twotower.errors import ConfigError

SplitKind = Literal[
    "auto",
    "time",
    "leave-one-out",
    "given",
    "rolling",
    "cold-start",
    "random",
    "random-by-user",
    "last-by-user",
]

_CHOICES: Final[Mapping[str, Any]] = {
    "split": SplitKind,
    "unknown_items": UnknownItems,
    "near_identical": NearIdentical,
    "bots": Bots,
    "on_error": OnError,
}


@dataclass(frozen=True)
class PrepareConfig:
    """How a shop's tables become a dataset.

    Attributes:
        split: of events: `time`, `leave-one-out`, `given` (the shop's own `split` column),
            or `auto`: given where there is such a column, else by time where the log has a
            clock, else leave-one-out. `rolling` is by time, with `window` test shares of the
            latest events left out. `cold-start` hides a share of items. `random` draws events,
            `random-by-user` a share of each user's and `last-by-user` takes the last ones of
            each user: leaky, only for standing beside published tables.
        window: of a rolling split: 0 is the latest, the same as `time`, 1 the one before it.
        on_error: `stop` at the first fault, or `skip` the rows that break their table's
            contract: they go to `refused.jsonl`, with reasons.
        repeat: shoppers buy the same item again, so that seen items may be recommended.
        unknown_items: `drop` leaves out events and judgments of items that are not in the
            catalogue; `keep` adds those items with an empty title.
        near_identical: `keep` reports items that share a title and a brand; `merge` gives
            events and judgments to the first of them and leaves the others out.
        bots: `keep` reports users and sessions with far more events than others; `drop`
            leaves their events out.
        k_core: only users and items with so many events in training stay in it; 0 for all.
            Validation and test stay as they are.
        validation_share: of events or queries.
        test_share: of events or queries.
        seed: which queries, and of a random split which events, go to which split.
    """

    split: SplitKind = "auto"
    window: int = 0
    on_error: OnError = "stop"
    repeat: bool = False
    unknown_items: UnknownItems = "drop"
    near_identical: NearIdentical = "keep"
    bots: Bots = "keep"
    k_core: int = 0
    validation_share: float = 0.1
    test_share: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        for name, kind in _CHOICES.items():
            if getattr(self, name) not in get_args(kind):
                known = ", ".join(get_args(kind))
                raise ConfigError(f"{name} must be one of {known}, got {getattr(self, name)!r}")
        if self.k_core < 0:
            raise ConfigError(f"k_core must be 0 or more, got {self.k_core}")
        shares = (self.validation_share, self.test_share)
        if not (all(share > 0 for share in shares) and sum(shares) < 1):
            raise ConfigError(
                "validation_share and test_share must be above 0 and leave some for training "
                f"(sum below 1), got {shares[0]} and {shares[1]}"
            )
        if self.window < 0 or sum(shares) + self.window * self.test_share >= 1:
            raise ConfigError(
                "window must be 0 or more and leave some for training, got "
                f"{self.window} times a test_share of {self.test_share:g}"
            )

    @property
    def cleaning(self) -> CleanConfig:
        """What rules do."""
        return CleanConfig(self.unknown_items, self.near_identical, self.bots)
