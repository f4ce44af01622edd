"""The files of a log that is never in memory as a whole."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Final

import polars as pl

from twotower.data import mapping, reading, tables
from twotower.data import parts as table_files
from twotower.data.mapping import Mapped
from twotower.data.shop_toml import Shop, TableMapping
from twotower.data.sources.source import Published
from twotower.data.tables import Export, Tables
from twotower.errors import DataError

BATCH_ROWS: Final = 1_000_000
_STREAMED: Final = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")


@dataclass(frozen=True, eq=False)
class Batch:
    """Some rows of one file.

    Attributes:
        first: the place of the first row in its file, counted from 0.
        rows: with our column names.
    """

    first: int
    rows: pl.DataFrame


@dataclass(frozen=True)
class Log:
    """A shop's events, as files.

    Attributes:
        folder: of the shop's tables.
        paths: of the events, in the order of their rows.
        shop: what shop.toml says.
        others: reads all other tables.
        batch_rows: how many rows are in memory at once.
    """

    folder: Path
    paths: tuple[Path, ...]
    shop: Shop
    others: Callable[[], Tables]
    batch_rows: int = BATCH_ROWS

    @classmethod
    def of(cls, export: Export, *, skips: bool = False) -> "Log | None":
        """The log of a folder; None where there is none that can be read batch by batch.

        Args:
            export: the folder.
            skips: rows of the other tables that cannot be read are put aside.
        """
        tables.check_folder(export.folder)
        shop = export.shop()
        paths = tables.files_of(export.folder, shop).get("events", ())
        is_streamed = all(reading.suffix_of(path) in _STREAMED for path in paths)
        if not paths or not is_streamed or shop.tables["events"].encoding is not None:
            return None
        others = partial(tables.read_source, export.folder, shop, leaves="events", skips=skips)
        return cls(export.folder, paths, shop, others)

    @classmethod
    def published(cls, source: Published) -> "Log | None":
        """The log of a public data set; None of one whose events are more than a plain file."""
        plain = source.source.log
        if plain is None:
            return None
        shop = Shop({"events": plain.mapping})
        others = partial(plain.others, source.folder)
        return cls(source.folder, (plain.file.need(source.folder),), shop, others)

    @property
    def mapping(self) -> TableMapping:
        """What shop.toml says of the events."""
        return self.shop.tables["events"]

    @property
    def synonyms(self) -> tuple[str, ...]:
        """Lines of the shop's rules."""
        return tables.synonyms(self.folder / tables.SYNONYMS)

    @property
    def size(self) -> int:
        """Bytes of the text, more or less."""
        return sum(reading.size_of(path) for path in self.paths)

    def name(self, path: Path) -> str:
        """What to call one of the files, of which two may have the same name in two folders."""
        return path.relative_to(self.folder).as_posix()

    def batches(self, path: Path, only: tuple[str, ...] | None = None) -> Iterator[Batch]:
        """All rows of a file, in their order.

        Args:
            path: one of the files.
            only: these of our columns; all when left out.

        Raises:
            DataError: the file has too few or too many fields in a row, or lacks a column.
            PolarsError: it cannot be read batch by batch.
        """
        first = 0
        parts = {n: p for n, p in self._parts.items() if only is None or n in only}
        wanted = [name for name in self._schema if any(name in p for p in parts.values())]
        for raw in self._raw(path, wanted if only else None):
            kept = _without_blank_end(raw)
            mapped = (
                mapping.selected(kept, parts)
                if only
                else mapping.apply(kept, "events", self.mapping, self.called).frame
            )
            yield Batch(first, mapped)
            first += len(raw)

    @cached_property
    def called(self) -> str:
        """What to call the log in a message."""
        return table_files.called(self.paths, self.folder)

    @cached_property
    def header(self) -> Mapped:
        """Our columns and the shop's, without a row.

        Raises:
            DataError: a column is missing.
        """
        empty = pl.DataFrame(schema=self._schema)
        return mapping.apply(empty, "events", self.mapping, self.called)

    @cached_property
    def _parts(self) -> dict[str, list[str]]:
        empty = pl.DataFrame(schema=self._schema)
        return mapping.parts_of(mapping.columns_of(empty, "events", self.mapping))

    @cached_property
    def _schema(self) -> pl.Schema:
        """The shop's columns in all files; one that a file lacks is missing in its rows."""
        empty = [pl.LazyFrame(schema=reading.scanned(path).collect_schema()) for path in self.paths]
        try:
            return pl.concat(empty, how="diagonal_relaxed").collect_schema()
        except pl.exceptions.PolarsError as error:
            raise DataError(
                f"the files of {self.called} do not go together: {str(error).splitlines()[0]}. "
                "Export the parts of a table with the same columns."
            ) from error

    def _raw(self, path: Path, wanted: list[str] | None) -> Iterator[pl.DataFrame]:
        """The rows of a file with the shop's column names: these, or all."""
        scan, is_whole = reading.scanned(path), wanted is not None
        names = scan.collect_schema().names()
        if wanted is not None:
            scan = scan.select(name for name in names if name in wanted)
        empty = pl.DataFrame(schema={n: self._schema[n] for n in wanted or self._schema})
        try:
            for raw in scan.collect_batches(chunk_size=self.batch_rows, maintain_order=True):
                if not is_whole and raw[names[-1]].null_count():
                    _refuse_ragged(path)
                    is_whole = True
                yield pl.concat([empty, raw], how="diagonal_relaxed")
        except (pl.exceptions.PolarsError, OSError) as error:
            _refuse_ragged(path)
            raise pl.exceptions.ComputeError(f"{path.name}: {error}") from error


def _refuse_ragged(path: Path) -> None:
    fault = reading.fault_of(path)
    if fault is not None:
        raise DataError(fault)


def _without_blank_end(rows: pl.DataFrame) -> pl.DataFrame:
    """Blank lines at the end of a file are no rows."""
    end = len(rows)
    while end and all(value is None for value in rows.row(end - 1)):
        end -= 1
    return rows.head(end)
