"""How long `prepare` takes for a log of millions, and how much memory, beside pandas.

    python benchmarks/prepare.py FOLDER [--millions 1 10 100] [--items 100000] [--pandas-to 10]

Writes review-like logs into FOLDER (about 25 MB a million) unless they are there: few users write
much and many little, items are a long tail, one event in fifty is there twice, one in two hundred
is of an item nobody lists. Each way runs in a process of its own, by the same work: read the CSV,
check types, leave out what is there twice or unknown, order by user and time, split by time, write
Parquet. pandas does no more than that; `twotower prepare` also applies its other rules, profiles
and hashes. It has to be installed beside twotower: pip install pandas pyarrow
"""

import argparse
import os
import shutil
import sys
import time
from pathlib import Path

import numpy as np
import polars as pl

_CHUNK = 1_000_000
_FROM_S, _TO_S = 1_400_000_000, 1_700_000_000
_COMMAND = "from twotower.cli import main; main()"
HELD_OUT = 0.1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--millions", type=int, nargs="+", default=[1, 10])
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument(
        "--pandas-to", type=int, default=10, help="millions that pandas has memory for"
    )
    parser.add_argument("--pandas", action="store_true", help="do the work by pandas, and end")
    given = parser.parse_args()
    if given.pandas:
        by_pandas(given.folder, given.folder / "pandas.parquet")
        return
    print(
        f"{'events':>12} {'with':>10} {'CPU s':>9} {'wall s':>9} {'events/CPU s':>13} "
        f"{'peak MB':>9}"
    )
    for millions in given.millions:
        shop = write_shop(given.folder / f"log-{millions}m", millions, given.items)
        out = given.folder / "prepared"
        ours = [sys.executable, "-c", _COMMAND, "prepare", str(shop), "--out", str(out), "--json"]
        theirs = [sys.executable, __file__, str(shop), "--pandas"]
        ways = {"twotower": ours} | ({"pandas": theirs} if millions <= given.pandas_to else {})
        for name, command in ways.items():
            cpu_s, wall_s, megabytes = measured(command)
            events = millions * _CHUNK
            print(
                f"{events:>12,} {name:>10} {cpu_s:>9.1f} {wall_s:>9.1f} {events / cpu_s:>13,.0f} "
                f"{megabytes:>9,.0f}"
            )
        shutil.rmtree(out)


def write_shop(folder: Path, millions: int, n_items: int) -> Path:
    """A catalogue and a log of so many million reviews, as CSV; the same ones each time."""
    if (folder / "items.csv").is_file():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    n_users = millions * _CHUNK // 8
    with (folder / "events.csv").open("wb") as file:
        for chunk in range(millions):
            users = (n_users * rng.random(_CHUNK) ** 2).astype(np.int64)
            items = ((n_items + n_items // 200) * rng.random(_CHUNK) ** 3).astype(np.int64)
            seconds = rng.integers(_FROM_S, _TO_S, _CHUNK)
            rows = pl.DataFrame({"user_id": users, "item_id": items, "timestamp": seconds})
            named = rows.with_columns(
                pl.format("A{}", "user_id").alias("user_id"),
                pl.format("B{}", n_items - pl.col("item_id")).alias("item_id"),
            )
            again = named.head(_CHUNK // 50)
            pl.concat([named.head(_CHUNK - len(again)), again]).write_csv(
                file, include_header=chunk == 0
            )
    ids = pl.int_range(1, n_items + 1, eager=True)
    catalogue = pl.DataFrame({"item_id": ids}).select(
        pl.format("B{}", "item_id").alias("item_id"),
        pl.format("Thing {}", "item_id").alias("title"),
    )
    catalogue.write_csv(folder / "items.csv")
    return folder


def measured(command: list[str]) -> tuple[float, float, float]:
    """Seconds of the processor and by the clock, and peak megabytes, of a process of its own."""
    started = time.perf_counter()
    child = os.spawnv(os.P_NOWAIT, command[0], command)  # noqa: S606 - our own words
    _, status, used = os.wait4(child, 0)
    if status:
        raise SystemExit(f"failed: {' '.join(command)}")
    wall_s = time.perf_counter() - started
    return used.ru_utime + used.ru_stime, wall_s, used.ru_maxrss / 1024


def by_pandas(shop: Path, out: Path) -> None:
    """The same work as it is usually written with pandas."""
    import pandas as pd

    items = pd.read_csv(shop / "items.csv", dtype=str)
    events = pd.read_csv(shop / "events.csv", dtype={"user_id": str, "item_id": str})
    events["time"] = events.pop("timestamp").astype("int64") * 1000
    events = events.dropna().drop_duplicates()
    row_of = pd.Series(items.index, index=items["item_id"])
    events["item_row"] = events.pop("item_id").map(row_of)
    events = events.dropna(subset=["item_row"]).astype({"item_row": "int32"})
    events = events.sort_values(["user_id", "time"], kind="stable", ignore_index=True)
    events["order"] = events.groupby("user_id").cumcount().astype("int32")
    cuts = events["time"].quantile([1 - 2 * HELD_OUT, 1 - HELD_OUT])
    part = np.searchsorted(cuts.to_numpy(), events["time"].to_numpy(), side="right")
    events["split"] = pd.Categorical.from_codes(part, ["train", "validation", "test"])
    events.to_parquet(out, compression="zstd")


if __name__ == "__main__":
    main()
