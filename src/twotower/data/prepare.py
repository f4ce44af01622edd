"""From a shop's tables to a prepared dataset: the whole path, in order."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal, get_args

import polars as pl

from twotower import schema
from twotower.data import laws, splits
from twotower.data.check import checked
from twotower.data.clean import CleanConfig, UnknownItems, cleaned
from twotower.data.dataset import About, Dataset
from twotower.data.duplicates import NearIdentical
from twotower.data.grades import with_gains
from twotower.data.kcore import k_core
from twotower.data.outliers import Bots
from twotower.data.profile import profile_dataset, profile_read
from twotower.data.refusals import OnError, checked_rows
from twotower.data.rule import LEFT_OUT, Cleaning, Rule
from twotower.data.sources.registry import is_published
from twotower.data.sources.source import Published, nothing_more
from twotower.data.tables import Export, Tables, read_source
from twotower.data.times import now_ms
from twotower.errors import ConfigError, DataError
from twotower.progress import Progress

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

Source = Path | str | Published | Export

SYNTHETIC: Final = "synthetic"
_STAGES: Final = ("read", "check", "clean", "split", "profile")
_WORDS: Final = (schema.TITLE, schema.BRAND, schema.CATEGORY, schema.ATTRIBUTES, schema.DESCRIPTION)


_CHOICES: Final[Mapping[str, Any]] = {
    "split": SplitKind,
    "unknown_items": UnknownItems,
    "near_identical": NearIdentical,
    "bots": Bots,
    "on_error": OnError,
}


_DRAWN: Final = {
    "random": splits.at_random,
    "random-by-user": splits.random_by_user,
    "cold-start": splits.cold_start,
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


def prepare(
    source: Source,
    config: PrepareConfig | None = None,
    *,
    progress: Progress | None = None,
) -> Dataset:
    """A prepared dataset: read, checked, cleaned, split and profiled. Nothing is written.

    Args:
        source: a folder of tables (see `tables.read_source`), with a mapping or without, or
            `synthetic`, or `synthetic:products=200,shoppers=100,seed=3`, or a public data
            set's files (see `sources.registry`).
        config: how; the defaults when left out.
        progress: called as each stage begins.

    Raises:
        DataError: a table breaks its contract, or nothing in it is positive; names file,
            row or column, and the remedy.
        ConfigError: the source names a size that is not one.
    """
    config = config or PrepareConfig()
    tell = progress or _quietly
    tell("read", 0, len(_STAGES))
    tables = read(source)
    found = profile_read(tables)
    tell("check", 1, len(_STAGES))
    tables, refused, faults = (
        checked_rows(tables) if config.on_error == "skip" else (checked(tables), None, ())
    )  # one name for what each stage leaves, so that a large log is not kept in all its states
    tell("clean", 2, len(_STAGES))
    first = source.tidy if isinstance(source, Published) else nothing_more
    tables, rules = cleaned(
        tables, now_ms=now_ms(), config=config.cleaning, first=first, numbered=not faults
    )
    tell("split", 3, len(_STAGES))
    tables, later = _window(tables, config)
    rules = (*faults, *rules, *later)
    dataset = divided(tables, config, rules)
    if config.k_core and dataset.events is not None:
        core, left_out = k_core(dataset.events, config.k_core)
        dataset, rules = replace(dataset, events=core), (*rules, *left_out)
    tell("profile", 4, len(_STAGES))
    profile = profile_dataset(dataset, found, tables.encodings, rules, asdict(config))
    return replace(dataset, profile=profile, refused=refused)


def read(source: Source) -> Tables:
    """The tables of a folder, of a public data set, or of a shop made up; see `prepare`."""
    if isinstance(source, Published | Export):
        return source.tables()
    text = str(source)
    if is_published(text) and not Path(source).exists():
        raise DataError(f"{text} is a public data set: say where its files are by --from FOLDER.")
    if text != SYNTHETIC and not text.startswith(f"{SYNTHETIC}:"):
        return read_source(Path(source))
    from twotower.data.synthetic.shop import synthetic_shop

    return synthetic_shop(**_sizes(text))


def divided(tables: Tables, config: PrepareConfig, rules: Sequence[Rule] = ()) -> Dataset:
    """The dataset of clean tables: ids as rows, grades as gains, everything split.

    Args:
        tables: typed and clean.
        config: how they are split.
        rules: what cleaning did, for the error.

    Raises:
        DataError: nothing is left to learn from, or the wanted split is not possible.
    """
    items = tables.items
    events, searches = _without_searches(tables.events)
    judged, gain_map = _judged(tables)
    is_bare = events is None and (judged is None or not judged[schema.POSITIVE].any())
    if is_bare and not tables.catalogue_only:
        raise _no_positives(tables, rules)
    kind, cuts = "none", None
    if events is not None:
        ordered = _ordered(_with_rows(events, items))
        kind, split, cuts = _event_split(ordered, config)
        events = _event_columns(ordered.with_columns(split))
        laws.assert_events(events, kind, cuts)
    about = About(
        name=tables.name,
        synthetic=tables.synthetic,
        split_kind=kind,
        judgment_split_kind=_judgment_split_kind(judged),
        repeat=config.repeat or bool(tables.repeat),
        text_fields=_text_fields(items),
        gain_map=gain_map,
        validation_from=cuts.validation_from if cuts else None,
        test_from=cuts.test_from if cuts else None,
        language=tables.language,
        synonyms=tables.synonyms,
    )
    judgments = None if judged is None else _judgment_columns(_with_rows(judged, items), config)
    if judgments is not None:
        laws.assert_judgments(judgments)
    return Dataset(items, events, searches, tables.users, judgments, about)


def _sizes(source: str) -> dict[str, int]:
    """`synthetic:products=200,seed=3` as the arguments of `synthetic_shop`."""
    known = ("products", "shoppers", "queries", "seed")
    sizes: dict[str, int] = {}
    for part in filter(None, source.partition(":")[2].split(",")):
        name, _, value = part.partition("=")
        if name.strip() not in known or not value.strip().isdecimal():
            raise ConfigError(
                f"source {source!r}: expected NAME=NUMBER with a name of {', '.join(known)}, "
                f"got {part!r}. Example: synthetic:products=200,shoppers=100,seed=3"
            )
        sizes[name.strip()] = int(value)
    return sizes


def _without_searches(
    events: pl.DataFrame | None,
) -> tuple[pl.DataFrame | None, pl.DataFrame | None]:
    """The events with items, and the typed queries of the log; None for none."""
    if events is None:
        return None, None
    is_search = events[schema.EVENT] == schema.SEARCH
    with_items = events.filter(~is_search)
    searches = None
    if is_search.any() and schema.QUERY in events.columns:
        columns = [c for c in (schema.USER_ID, schema.QUERY, schema.TIME) if c in events.columns]
        searches = events.filter(is_search & events[schema.QUERY].is_not_null()).select(columns)
    return (None if with_items.is_empty() else with_items), searches


def _judged(tables: Tables) -> tuple[pl.DataFrame | None, str | None]:
    if tables.judgments is None or tables.judgments.is_empty():
        return None, None
    return with_gains(tables.judgments)


def _no_positives(tables: Tables, rules: Sequence[Rule]) -> DataError:
    found = ", ".join(f"{tables.file(name)}: {len(f):,} rows" for name, f in tables.frames.items())
    taken = ", ".join(
        f"{rule.name} {rule.count:,} of {rule.table}"
        for rule in rules
        if rule.action == LEFT_OUT and rule.table in ("events", "judgments")
    )
    return DataError(
        f"{tables.name} has no positives: no event with an item of the catalogue, and no "
        f"judgment that counts as right (left after cleaning: {found}; left out by rule: "
        f"{taken or 'nothing'}). Check that item ids of "
        "events and judgments are those of items, and that grades are higher for better."
    )


def _with_rows(frame: pl.DataFrame, items: pl.DataFrame) -> pl.DataFrame:
    rows = pl.int_range(len(items), dtype=pl.Int32, eager=True)
    row = pl.col(schema.ITEM_ID).replace_strict(items[schema.ITEM_ID], rows, return_dtype=pl.Int32)
    return frame.with_columns(row.alias(schema.ITEM_ROW))


def _ordered(events: pl.DataFrame) -> pl.DataFrame:
    """By user, then time, then the shop's order, then place in the file; numbered anew."""
    if schema.TIME not in events.columns:
        events = events.with_columns(pl.lit(None, pl.Int64).alias(schema.TIME))
    by = [c for c in (schema.USER_ID, schema.TIME, schema.ORDER) if c in events.columns]
    ordered = events.sort(by, maintain_order=True)
    return ordered.with_columns(
        pl.int_range(pl.len(), dtype=pl.Int32).over(schema.USER_ID).alias(schema.ORDER)
    )


def _event_split(
    events: pl.DataFrame, config: PrepareConfig
) -> tuple[str, pl.Series, splits.TimeCuts | None]:
    kind = _event_split_kind(events, config.split)
    if kind == "given":
        return kind, splits.given_events(events), None
    if kind == "leave-one-out":
        return kind, splits.leave_one_out(events), None
    shares = {"validation_share": config.validation_share, "test_share": config.test_share}
    if kind == "last-by-user":
        return kind, splits.last_by_user(events, **shares), None
    if kind in _DRAWN:
        return kind, _DRAWN[kind](events, **shares, seed=config.seed), None
    if kind == "rolling":
        left = 1 - config.window * config.test_share
        shares = {name: share / left for name, share in shares.items()}
    cuts = splits.time_cuts(events[schema.TIME], **shares)
    return kind, splits.by_time(events[schema.TIME], cuts), cuts


def _window(tables: Tables, config: PrepareConfig) -> tuple[Tables, tuple[Rule, ...]]:
    """The tables without what is later than a rolling window, and how much that was."""
    events = tables.events
    if config.split != "rolling" or not config.window or events is None:
        return tables, ()
    if schema.TIME not in events.columns or events[schema.TIME].null_count():
        raise DataError("--split rolling needs a time of every event. Use --split leave-one-out.")
    share = config.window * config.test_share
    cuts = splits.time_cuts(events[schema.TIME], validation_share=1e-9, test_share=share)
    later = pl.col(schema.TIME) >= cuts.test_from
    cleaning = Cleaning(tables, numbered=False)
    cleaning.drop("after_the_window", "events", later)
    return cleaning.tables, tuple(cleaning.rules)


def _event_split_kind(events: pl.DataFrame, wanted: SplitKind) -> SplitKind:
    has_given = schema.SPLIT in events.columns
    has_clock = events[schema.TIME].null_count() == 0
    if wanted == "given" and not has_given:
        raise DataError("--split given needs a column 'split' in events. Add it, or use auto.")
    if wanted in ("time", "rolling") and not has_clock:
        raise DataError(f"--split {wanted} needs a time of every event. Use --split leave-one-out.")
    if wanted != "auto":
        return wanted
    if has_given:
        return "given"
    enough = has_clock and events[schema.TIME].n_unique() >= splits.MIN_EVENTS
    return "time" if enough else "leave-one-out"


def _event_columns(events: pl.DataFrame) -> pl.DataFrame:
    names = [schema.USER_ID, schema.ITEM_ROW, schema.EVENT, schema.TIME, schema.ORDER]
    names += [schema.SESSION_ID] if schema.SESSION_ID in events.columns else []
    return events.select(*names, schema.SPLIT)


def _judgment_split_kind(judged: pl.DataFrame | None) -> str:
    if judged is None:
        return "none"
    return "given" if schema.SPLIT in judged.columns else "query"


def _judgment_columns(judged: pl.DataFrame, config: PrepareConfig) -> pl.DataFrame:
    share = config.validation_share
    if schema.SPLIT in judged.columns:
        split = splits.given_judgments(judged, validation_share=share, seed=config.seed)
    else:
        split = splits.by_query(
            judged, validation_share=share, test_share=config.test_share, seed=config.seed
        )
    names = [schema.QUERY, schema.ITEM_ROW, schema.GRADE, schema.GAIN, schema.POSITIVE]
    return judged.with_columns(split).select(*names, schema.SPLIT)


def _text_fields(items: pl.DataFrame) -> tuple[str, ...]:
    """The columns that hold words; anonymous ids as attributes or brands are none."""
    return tuple(name for name in _WORDS if name in items.columns and _holds_words(items[name]))


def _holds_words(column: pl.Series) -> bool:
    if column.name == schema.TITLE:
        return True
    texts = column.explode(empty_as_null=False) if isinstance(column.dtype, pl.List) else column
    words = texts.drop_nulls().str.contains(r"\p{L}{2}")
    return 2 * int(words.sum()) > len(words)


def _quietly(stage: str, done: int, total: int) -> None:
    pass
