"""The whole path of `data.prepare` for a log larger than memory."""

import shutil
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

import polars as pl

from twotower import disk, schema
from twotower.data.check import checked
from twotower.data.clean import clean_catalogue, clean_judgments, clean_users
from twotower.data.config import PrepareConfig
from twotower.data.dataset import ContentHash, Dataset, Summary
from twotower.data.log_numbers import LogNumbers
from twotower.data.prepare import divided, no_positives
from twotower.data.profile import profile_dataset, profile_read
from twotower.data.refusals import checked_rows
from twotower.data.rule import Cleaning
from twotower.data.sources.source import Published
from twotower.data.streaming import kept
from twotower.data.streaming.clean import Cleaned, clean
from twotower.data.streaming.log import Log
from twotower.data.streaming.sort import Sorted
from twotower.data.streaming.write import cut, write
from twotower.data.tables import Export
from twotower.data.times import now_ms
from twotower.progress import Progress

LARGE: Final = 64 * 2**20
"""Bytes from which a log is not read as a whole."""
_BY_USER: Final = ("auto", "time", "leave-one-out", "last-by-user")
"""Splits that need no more than all events of a user, and cuts in time."""
PART_ROWS: Final = 2_000_000
"""Events of a range of users, about: what is cleaned and split at once."""
_STAGES: Final = ("read", "clean", "split")
_WORK: Final = "work"


def large_log(source: object, config: PrepareConfig, smallest: int | None = None) -> Log | None:
    """A log that is prepared a part at a time, of a folder of tables or a public data set.

    None for any other, and where the whole log is needed at once: for a k-core, events of unknown
    items kept, splits that are drawn, given, or of rolling windows.
    """
    export = Export(Path(source)) if isinstance(source, str | Path) else source
    by_user = config.split in _BY_USER and not config.k_core and config.unknown_items == "drop"
    if not isinstance(export, Export | Published) or not export.folder.is_dir() or not by_user:
        return None
    skips = config.on_error == "skip"
    log = Log.of(export, skips=skips) if isinstance(export, Export) else Log.published(export)
    if log is None or log.size < (LARGE if smallest is None else smallest):
        return None
    try:
        return None if schema.SPLIT in log.header.columns else log
    except (pl.exceptions.PolarsError, OSError):  # damaged: read as a whole, the fault is named
        return None


def prepare(
    log: Log,
    config: PrepareConfig,
    out: Path,
    *,
    keeps: bool = False,
    progress: Progress | None = None,
    part_rows: int = PART_ROWS,
) -> Summary:
    """A prepared dataset in a folder, whole or not at all; the same as of `data.prepare`.

    Args:
        log: the events of a folder of tables.
        config: how; see `large_log` for what is possible.
        out: a new or empty folder, or an older dataset to be replaced.
        keeps: typed rows stay in the folder, and files whose rows are there are not read again.
        progress: called as each stage begins.
        part_rows: events that are cleaned and split at once, about.

    Raises:
        DataError: a table breaks its contract, or nothing in it is positive; names file,
            row or column, and the remedy.
        PolarsError: the log cannot be read in parts; as a whole it may.
        OutputError: the folder cannot be written. What was there before is untouched.
    """
    tell = progress or (lambda *_: None)
    with disk.whole_folder(out) as folder:
        work = folder / _WORK
        work.mkdir()
        tell(_STAGES[0], 0, len(_STAGES))
        tables = log.others()
        skips = config.on_error == "skip"
        read = profile_read(tables)
        tables, put_aside, faults = checked_rows(tables) if skips else (checked(tables), None, ())
        if keeps:
            found = _sorted_and_kept(log, config, folder / kept.LOG, part_rows, out / kept.LOG)
        else:
            keys = {path: f"{number:05}" for number, path in enumerate(log.paths)}
            found = kept.sorted_log(log, config, work, part_rows, keys=keys)
        tell(_STAGES[1], 1, len(_STAGES))
        cleaning, now = Cleaning(tables, numbered=not faults), now_ms()
        catalogue = clean_catalogue(cleaning, config.cleaning)
        cleaned = clean(found, cleaning.tables, catalogue, now, config.bots, work)
        clean_judgments(cleaning, catalogue, config.cleaning)
        clean_users(cleaning)
        tell(_STAGES[2], 2, len(_STAGES))
        aside = [rows for rows in (put_aside, *found.refused) if rows is not None]
        dataset = replace(
            divided(replace(cleaning.tables, catalogue_only=True), config),
            refused=pl.concat(aside) if aside else None,
        )
        dataset, counts, digest, numbers = _with_events(dataset, cleaned, config, folder)
        shutil.rmtree(work)
        rules = (*faults, *found.rules, *cleaning.rules, *cleaned.rules)
        if not (numbers.counts or _has_positives(dataset) or tables.catalogue_only):
            raise no_positives(cleaning.tables, rules)
        dataset.write_tables(folder)
        read["events"] = _profile_read(log, found)
        counted = numbers if numbers.counts else None
        profile = profile_dataset(dataset, read, {}, rules, asdict(config), counted)
        summary = Summary(dataset.about, counts, digest, profile)
        summary.write(folder)
    return summary


def _sorted_and_kept(
    log: Log, config: PrepareConfig, folder: Path, part_rows: int, before: Path
) -> Sorted:
    """The log sorted in a folder of its own, which says what it is of for the next time."""
    folder.mkdir()
    keys = kept.keys_of(log)
    old = kept.read(before, log)
    found = kept.sorted_log(log, config, folder, part_rows, keys=keys, kept=old)
    kept.keep(found, log, keys, folder)
    return found


def _has_positives(dataset: Dataset) -> bool:
    return dataset.judgments is not None and bool(dataset.judgments[schema.POSITIVE].any())


def _with_events(
    dataset: Dataset, cleaned: Cleaned, config: PrepareConfig, folder: Path
) -> tuple[Dataset, dict[str, int], str, LogNumbers]:
    """Writes the events; their searches, the counts, the hash of all tables, the numbers."""
    digest, numbers = ContentHash(), LogNumbers(dataset.n_items)
    digest.add("items", dataset.items)
    kind, cuts = cut(cleaned, config)
    path = folder / "events.parquet"
    searches = write(cleaned, kind, cuts, config, digest=digest, numbers=numbers, path=path)
    dataset = replace(dataset, searches=searches)
    counts = dataset.counts
    if numbers.counts:
        parts = {f"events.{split}": count for split, count in sorted(numbers.counts.items())}
        counts |= {"events": sum(parts.values()), **parts}
        froms = (cuts.validation_from, cuts.test_from) if cuts else (None, None)
        about = replace(
            dataset.about, split_kind=kind, validation_from=froms[0], test_from=froms[1]
        )
        dataset = replace(dataset, about=about)
    for name, frame in dataset.tables.items():
        if name != "items":
            digest.add(name, frame)
    return dataset, counts, digest.hexdigest(), numbers


def _profile_read(log: Log, found: Sorted) -> dict[str, Any]:
    """What `profile_read` says of a table in memory."""
    rows = {Path(name).name: file.look.rows for name, file in found.files.items()}
    return {
        "file": log.called,
        "rows": sum(file.look.rows for file in found.files.values()),
        "parts": rows if len(rows) > 1 else {},
        "columns": dict(log.header.columns),
        "ignored_columns": list(log.header.ignored),
    }
