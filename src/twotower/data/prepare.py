"""From a shop's tables to a prepared dataset: the whole path, in order."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Final

import polars as pl

from twotower import schema
from twotower.data import laws, log, splits
from twotower.data.check import checked
from twotower.data.clean import cleaned
from twotower.data.config import PrepareConfig
from twotower.data.dataset import About, Dataset
from twotower.data.grades import with_gains
from twotower.data.kcore import k_core
from twotower.data.log_numbers import LogNumbers
from twotower.data.profile import profile_dataset, profile_read
from twotower.data.refusals import checked_rows
from twotower.data.rule import LEFT_OUT, Cleaning, Rule
from twotower.data.sources.registry import is_published
from twotower.data.sources.source import Published, nothing_more
from twotower.data.tables import Export, Tables, read_source
from twotower.data.times import now_ms
from twotower.errors import ConfigError, DataError
from twotower.progress import Progress

Source = Path | str | Published | Export

SYNTHETIC: Final = "synthetic"
_STAGES: Final = ("read", "check", "clean", "split", "profile")
_WORDS: Final = (schema.TITLE, schema.BRAND, schema.CATEGORY, schema.ATTRIBUTES, schema.DESCRIPTION)


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
    tables = read(source, skips=config.on_error == "skip")
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
    numbers = LogNumbers.of(dataset.events, dataset.n_items) if dataset.events is not None else None
    profile = profile_dataset(dataset, found, tables.encodings, rules, asdict(config), numbers)
    return replace(dataset, profile=profile, refused=refused)


def read(source: Source, *, skips: bool = False) -> Tables:
    """The tables of a folder, of a public data set, or of a shop made up; see `prepare`."""
    if isinstance(source, Published):
        return source.tables()
    if isinstance(source, Export):
        return source.tables(skips=skips)
    text = str(source)
    if is_published(text) and not Path(source).exists():
        raise DataError(f"{text} is a public data set: say where its files are by --from FOLDER.")
    if text != SYNTHETIC and not text.startswith(f"{SYNTHETIC}:"):
        return read_source(Path(source), skips=skips)
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
    events, searches = log.without_searches(tables.events)
    judged, gain_map = _judged(tables)
    is_bare = events is None and (judged is None or not judged[schema.POSITIVE].any())
    if is_bare and not tables.catalogue_only:
        raise no_positives(tables, rules)
    kind, cuts = "none", None
    if events is not None:
        ordered = log.ordered(log.with_rows(events, items))
        kind, split, cuts = log.event_split(ordered, config)
        events = log.columns(ordered.with_columns(split))
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
    judgments = None if judged is None else _judgment_columns(log.with_rows(judged, items), config)
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


def _judged(tables: Tables) -> tuple[pl.DataFrame | None, str | None]:
    if tables.judgments is None or tables.judgments.is_empty():
        return None, None
    return with_gains(tables.judgments)


def no_positives(tables: Tables, rules: Sequence[Rule]) -> DataError:
    """What to say where there is nothing to learn from."""
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


def _window(tables: Tables, config: PrepareConfig) -> tuple[Tables, tuple[Rule, ...]]:
    """The tables without what is later than a rolling window, and how much that was."""
    events = tables.events
    if config.split != "rolling" or not config.window or events is None:
        return tables, ()
    if schema.TIME not in events.columns or events[schema.TIME].null_count():
        raise log.no_clock(config.split)
    share = config.window * config.test_share
    cuts = splits.time_cuts(events[schema.TIME], validation_share=1e-9, test_share=share)
    later = pl.col(schema.TIME) >= cuts.test_from
    cleaning = Cleaning(tables, numbered=False)
    cleaning.drop("after_the_window", "events", later)
    return cleaning.tables, tuple(cleaning.rules)


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
