"""Public data by the protocols of published tables: ours and every baseline beside their numbers.

    python benchmarks/protocols.py NAME,NAME --from FOLDER --out RUNS [--recipes sequential]
        [--set field=value ...] [--baselines all] [--visitors 5000] [--seed 0]

FOLDER has the publisher's files, as for `twotower prepare`. NAMEs are:

- `tfrs`: MovieLens 100K as in the retrieval tutorial of TensorFlow Recommenders: a fifth of all
  ratings drawn; the share of them that is among the first k of 1,682 films, nothing taken out.
  As such a split asks for any rating and not for the next one, histories have a drawn order.
- `microsoft`: MovieLens 100K as in the benchmark of Microsoft's Recommenders: a quarter of the
  ratings of each film, the very ones that its seed draws; rated films taken out. A drawn order.
- `online-retail-repeat`, `online-retail-new`: Online Retail split by time, with what a customer
  bought before in the ranking, or taken out.
- `beibei-published`: one purchase of each visitor, purchased items taken out. 62 % of those to be
  found are in the visitor's cart, with some 16 other unbought items: the row `unbought_carts`
  puts these first and learns nothing.
- `beibei-honest`: the same purchases, but carts of what is to be found are left out, and all that
  is in the history is taken out. Order is drawn in both: the publisher's is by number of the item.

Each is prepared into `RUNS/NAME/data` (`RUNS/NAME-5000/data` with so many visitors, drawn), then
trained and ranked as by `recommenders.py`, which see.
"""

import argparse
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
import recommenders
from runs import provenance, workshop

from twotower import schema
from twotower.data.config import PrepareConfig
from twotower.data.dataset import Dataset
from twotower.data.sources import beibei, movielens, online_retail
from twotower.data.sources.source import PublicSource, Published
from twotower.evaluation.baselines.popularity import popularity_scorer
from twotower.evaluation.cases import Cases, recommendation_cases
from twotower.evaluation.protocol import evaluate
from twotower.evaluation.significance import LEVEL, intervals
from twotower.evaluation.slices import ALL
from twotower.pipeline import prepare
from twotower.recipes import recipe
from twotower.schema import KIND_CODE, EventKind, Split

TOP: Final = (1, 5, 10, 50, 100)
RESAMPLES: Final = 1000
MICROSOFT_SEED: Final = 42


@dataclass(frozen=True)
class PurchasesHidden(Cases):
    """Cases that take only purchased items out of the ranking; their carts stay."""

    def hidden(self, case):
        past = self.histories[case]
        return past.item_rows[past.kinds == KIND_CODE[EventKind.PURCHASE]]


@dataclass(frozen=True)
class Protocol:
    """How a published table was made.

    Attributes:
        source: the data, with the published split where it has one of its own.
        prepare: how it is prepared.
        columns: accuracy metrics of the table.
        measured: evaluation -> the metrics that are not in every report, with intervals.
        published: row -> metric -> number, as published.
        asked: cases as the report makes them -> as the protocol ranks them.
        seen: what is taken out of lists, where it is neither all of the history nor nothing.
        rivals: dataset and cases -> scorers that only this data has.
    """

    source: PublicSource
    prepare: PrepareConfig
    columns: tuple[str, ...] = recommenders.ACCURACY
    measured: Callable = lambda found: {}
    published: dict = field(default_factory=dict)
    asked: Callable = lambda cases: cases
    seen: str | None = None
    rivals: Callable = lambda dataset, cases: {}


def top_k(found):
    """Share of all targets among the first k, with intervals from drawing visitors."""
    owner = np.repeat(np.arange(len(found.cases)), np.diff(found.cases.offsets))
    drawn = np.random.default_rng(0)
    counts = np.diff(found.cases.offsets)
    hits = np.stack([np.bincount(owner, found.ranks <= k, len(counts)) for k in TOP], axis=1)
    shares = np.empty((RESAMPLES, len(TOP)))
    for row in shares:
        part = drawn.integers(0, len(counts), len(counts))
        row[:] = hits[part].sum(axis=0) / counts[part].sum()
    means = hits.sum(axis=0) / counts.sum()
    low, high = np.quantile(shares, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    ends = np.stack([means, np.minimum(low, means), np.maximum(high, means)], axis=1)
    return {
        f"top-{k}": {**dict(zip(("mean", "low", "high"), row, strict=True)), "n": len(counts)}
        for k, row in zip(TOP, ends.tolist(), strict=True)
    }


def map_at_10(found):
    """Mean over visitors of the precision at each hit among the first 10, by all their targets."""
    values = np.zeros(len(found.cases))
    for case in range(len(found.cases)):
        ranks = np.sort(found.ranks[found.cases.targets(case)])
        hits = ranks[ranks <= 10]
        values[case] = (np.arange(1, len(hits) + 1) / hits).sum() / len(ranks)
    return {"map@10": intervals(values[:, None])[0].to_json()}


def without_times(folder):
    """MovieLens 100K, the ratings of each user in a drawn order."""
    tables = movielens.load_100k(folder)
    drawn = pl.Series("_drawn", np.random.default_rng(0).random(tables.events.height))
    order = (pl.col("_drawn").rank("ordinal").over(schema.USER_ID) - 1).alias(schema.ORDER)
    events = tables.events.with_columns(drawn).with_columns(order).drop("_drawn", schema.TIME)
    return replace(tables, events=events)


def split_as_microsoft(folder):
    """MovieLens 100K in a drawn order, a quarter of each film's ratings for test as they draw."""
    tables = without_times(folder)
    drawn = np.random.RandomState(MICROSOFT_SEED).rand(tables.events.height)
    place = pl.Series("_drawn", drawn)
    events = tables.events.with_columns(place)
    rank = pl.col("_drawn").rank("ordinal").over(schema.ITEM_ID)
    is_test = rank > (0.75 * pl.len().over(schema.ITEM_ID)).round(mode="half_to_even")
    chosen = pl.Series(np.random.default_rng(0).random(len(events)))
    parts = events.with_columns(
        pl.when(is_test)
        .then(pl.lit(Split.TEST.value))
        .when(chosen < 0.1)
        .then(pl.lit(Split.VALIDATION.value))
        .otherwise(pl.lit(Split.TRAIN.value))
        .alias(schema.SPLIT)
    )
    return replace(tables, events=parts.drop("_drawn"))


def in_drawn_order(folder):
    """Beibei with the events of each visitor in a drawn order, and a drawn validation purchase."""
    tables = beibei.load(folder)
    drawn = pl.Series("_drawn", np.random.default_rng(0).random(tables.events.height))
    is_test = pl.col(schema.SPLIT) == Split.TEST
    bought = (pl.col(schema.EVENT) == EventKind.PURCHASE) & ~is_test
    first = pl.col("_drawn") == pl.col("_drawn").filter(bought).min().over(schema.USER_ID)
    split = pl.when(bought & first).then(pl.lit(Split.VALIDATION.value)).otherwise(schema.SPLIT)
    place = (
        pl.when(is_test).then(3.0).when(bought & first).then(2.0).otherwise("_drawn")
    )  # held-out purchases come last
    events = tables.events.with_columns(drawn).with_columns(split.alias(schema.SPLIT), place=place)
    ordered = events.with_columns(
        (pl.col("place").rank("ordinal").over(schema.USER_ID) - 1).alias(schema.ORDER)
    )
    return replace(tables, events=ordered.drop("_drawn", "place"))


def without_carts_of_what_is_held_out(folder):
    """Beibei in a drawn order, where no cart gives away what is to be found."""
    tables = in_drawn_order(folder)
    pair = [schema.USER_ID, schema.ITEM_ID]
    is_train = pl.col(schema.SPLIT) == Split.TRAIN
    held = tables.events.filter(~is_train)
    train = tables.events.filter(is_train).join(held, on=pair, how="anti", maintain_order="left")
    return replace(tables, events=pl.concat([train, held]).sort(schema.USER_ID, schema.ORDER))


def unbought_carts(dataset, cases):
    """What is in the cart and not bought, the popular first."""
    popular = popularity_scorer(dataset, Split.TEST)

    def score(part):
        scores = np.array(popular(part), np.float32)
        for row, case in enumerate(part):
            past = cases.histories[case]
            scores[row, past.item_rows[past.kinds == KIND_CODE[EventKind.CART]]] += dataset.n_items
        return scores

    return score


MICROSOFT = {
    "BiVAE": (0.146126, 0.475077, 0.411771, 0.219145),
    "BPR": (0.132478, 0.441997, 0.388229, 0.212522),
    "LightGCN": (0.088526, 0.419846, 0.379626, 0.144336),
    "NCF": (0.107720, 0.396118, 0.347296, 0.180775),
    "SAR": (0.110591, 0.382461, 0.330753, 0.176385),
}
"""README.md of recommenders-team/recommenders, 15 epochs each."""
MICROSOFT_COLUMNS = ("map@10", "ndcg@10", "precision@10", "recall@10")
TFRS = {
    "TFRS, retrieval tutorial": dict(
        zip((f"top-{k}" for k in TOP), (0.0013, 0.0100, 0.0219, 0.1249, 0.2334), strict=True)
    ),
    "TFRS, deep retrieval tutorial": {"top-100": 0.29},
}
"""docs/examples/basic_retrieval.ipynb (the better of two runs, each metric) and
deep_recommenders.ipynb of tensorflow/recommenders."""
EHCF = {"EHCF, with views too": {"recall@10": 0.1551, "ndcg@10": 0.0831}}
"""README.md of chenchongthu/EHCF, which corrects the paper's table 2 (AAAI 2020)."""

PROTOCOLS = {
    "tfrs": Protocol(
        replace(movielens.SOURCE_100K, load=without_times),
        PrepareConfig(split="random", test_share=0.2, repeat=True),
        (*(f"top-{k}" for k in TOP), "ndcg@10"),
        top_k,
        TFRS,
    ),
    "microsoft": Protocol(
        replace(movielens.SOURCE_100K, load=split_as_microsoft),
        PrepareConfig(split="given"),
        MICROSOFT_COLUMNS,
        map_at_10,
        {
            f"{name}, Microsoft": dict(zip(MICROSOFT_COLUMNS, numbers, strict=True))
            for name, numbers in MICROSOFT.items()
        },
    ),
    "online-retail-repeat": Protocol(
        online_retail.SOURCE, PrepareConfig(split="time", repeat=True)
    ),
    "online-retail-new": Protocol(online_retail.SOURCE, PrepareConfig(split="time")),
    "beibei-published": Protocol(
        replace(beibei.SOURCE, load=in_drawn_order),
        PrepareConfig(split="given", repeat=True),
        published=EHCF,
        asked=lambda cases: PurchasesHidden(**vars(cases)),
        seen="What the visitor bought is taken out of lists, what is in the cart is not.",
        rivals=lambda dataset, cases: {"unbought_carts": unbought_carts(dataset, cases)},
    ),
    "beibei-honest": Protocol(
        replace(beibei.SOURCE, load=without_carts_of_what_is_held_out),
        PrepareConfig(split="given"),
    ),
}


def fewer_visitors(source, count):
    """The source with that many visitors, drawn; None leaves it whole."""
    if count is None:
        return source

    def load(folder):
        tables = source.load(folder)
        everyone = tables.events[schema.USER_ID].unique().sort()
        drawn = everyone.sample(min(count, len(everyone)), seed=0)
        kept = tables.events.filter(pl.col(schema.USER_ID).is_in(drawn.implode()))
        return replace(tables, events=kept)

    return replace(source, load=load)


def table(name, asked):
    """One protocol: prepared where it was not, trained, ranked, written and printed."""
    protocol = PROTOCOLS[name]
    out = asked.out / (name if asked.visitors is None else f"{name}-{asked.visitors}")
    data = out / "data"
    if not data.is_dir():
        source = Published(fewer_visitors(protocol.source, asked.visitors), asked.source)
        whole = replace(recipe("sequential"), prepare=protocol.prepare)
        prepare(source, whole, data, workshop())
    dataset = Dataset.load(data)
    cases, validation = (
        protocol.asked(recommendation_cases(dataset, split))
        for split in (Split.TEST, Split.VALIDATION)
    )
    own = argparse.Namespace(**{**vars(asked), "data": data, "out": out})
    found = recommenders.ranked(dataset, cases, validation, own)
    for rival, scorer in protocol.rivals(dataset, cases).items():
        found.rivals[rival], found.minutes[rival] = evaluate(cases, scorer), 0.0
    report = recommenders.report_of(found, dataset, asked.seed)
    add_measured(report, found, protocol.measured)
    if protocol.seen:
        report["tasks"]["recommendation"]["protocol"]["seen"] = protocol.seen
    origin = provenance(dataset, asked.seed)
    made = recommenders.as_markdown(report, origin, protocol.columns, protocol.published)
    recommenders.written(report, f"**{out.name}**\n\n{made}", out)


def add_measured(report, found, measured):
    """The protocol's own metrics, put beside those of every report."""
    section = report["tasks"]["recommendation"]
    summaries = {
        **dict(zip(found.ours, (section["metrics"], *section["variants"].values()), strict=True)),
        **section["baselines"],
    }
    for name, evaluation in {**found.ours, **found.rivals}.items():
        summaries[name][ALL].update(measured(evaluation))


def known(words):
    """Names by commas, each of a protocol."""
    names = words.split(",")
    if strange := [name for name in names if name not in PROTOCOLS]:
        raise argparse.ArgumentTypeError(f"{strange[0]!r} is none of {', '.join(PROTOCOLS)}")
    return names


def arguments(words=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("names", type=known, help=f"of {', '.join(PROTOCOLS)}; by commas")
    parser.add_argument("--from", dest="source", type=Path, required=True)
    parser.add_argument("--visitors", type=int, help="only so many, drawn")
    recommenders.options(parser)
    parser.set_defaults(recipes="sequential")
    return parser.parse_args(words)


def main(asked):
    for name in asked.names:
        table(name, asked)


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    main(arguments())
