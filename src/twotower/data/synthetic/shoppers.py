"""The demo shop's visitors: planted tastes, and what each did session after session."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twotower import schema
from twotower.data.synthetic.assortment import Assortment
from twotower.data.synthetic.catalogue import DAY_MS, END_MS, START_MS, Catalogue
from twotower.schema import EventKind

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

_SESSIONS: Final = 4.5
_STEPS: Final = 3.6
_BLOCK: Final = 4_000_000
_REGIONS: Final = ("North", "South", "East", "West", "Coast", "Hills")


@dataclass(frozen=True, eq=False)
class Tastes:
    """What each shopper likes.

    Attributes:
        kinds: [U, T] how often they look for each product type, before seasons.
        colour_words: [U, W] log weight of each colour.
        brands: [U, B] log weight of each brand.
        price: [U] wanted price level, in standard deviations of a type's prices.
    """

    kinds: Floats
    colour_words: Floats
    brands: Floats
    price: Floats


@dataclass(frozen=True, eq=False)
class Visits:
    """When each shopper looked at something: steps of sessions, by shopper and then by time.

    Attributes:
        user: [E] shopper.
        session: [E] session, numbered through.
        starts: [E] whether this step begins a session.
        time: [E] UTC milliseconds.
        offsets: [U + 1] shopper u has steps `offsets[u]:offsets[u + 1]`.
    """

    user: Ints
    session: Ints
    starts: NDArray[np.bool_]
    time: Ints
    offsets: Ints


@dataclass(frozen=True, eq=False)
class Choices:
    """What was looked at in each step, and whether it was put in the cart and bought.

    Attributes:
        item: [E] item, -1 where nothing was on sale yet.
        cart: [E] put in the cart.
        purchase: [E] bought.
    """

    item: Ints
    cart: NDArray[np.bool_]
    purchase: NDArray[np.bool_]


def make_tastes(
    shop: Assortment, catalogue: Catalogue, shoppers: int, rng: np.random.Generator
) -> Tastes:
    """Tastes of this many shoppers: a few departments, brands, colours, a price level."""
    departments = shop.departments
    where = np.array([departments.index(kind.department) for kind in shop.types])
    interest = rng.dirichlet(np.full(len(departments), 0.2), shoppers)
    within = rng.gamma(0.6, size=(shoppers, len(shop.types)))
    kinds = interest[:, where] * within + 1e-4
    on_sale = np.bincount(catalogue.kind, minlength=len(shop.types)) > 0
    return Tastes(
        kinds=(kinds * on_sale).astype(np.float32),
        colour_words=rng.normal(0, 1.5, (shoppers, len(catalogue.colour_words))).astype(np.float32),
        brands=rng.normal(0, 1.3, (shoppers, len(shop.brands))).astype(np.float32),
        price=rng.normal(0, 0.9, shoppers).astype(np.float32),
    )


def make_visits(shoppers: int, rng: np.random.Generator) -> Visits:
    """Sessions over the log's months, mostly at noon and in the evening."""
    joined = START_MS + rng.beta(0.7, 1.6, shoppers) * (END_MS - START_MS - 2 * DAY_MS)
    per_user = 1 + rng.poisson(rng.gamma(1.1, (_SESSIONS - 1) / 1.1, shoppers))
    user = np.repeat(np.arange(shoppers), per_user)
    day = (joined[user] + rng.random(len(user)) * (END_MS - joined[user])) // DAY_MS
    noon = rng.random(len(user)) < 0.35
    hour = np.clip(rng.normal(np.where(noon, 12.5, 20.0), 1.6), 6, 23.4)
    begin = (day * DAY_MS + hour * 3_600_000).astype(np.int64)
    order = np.lexsort((begin, user))
    steps = rng.geometric(1 / _STEPS, len(user))
    session = np.repeat(np.arange(len(user)), steps)
    starts = np.concatenate([[True], np.diff(session) > 0])
    gaps = np.where(starts, 0, 15_000 + rng.exponential(70_000, len(session))).astype(np.int64)
    elapsed = np.cumsum(gaps)
    elapsed -= np.repeat(elapsed[starts], steps)
    counts = np.bincount(user, weights=steps, minlength=shoppers).astype(np.int64)
    # `user` is sorted already, so ordering the sessions by time leaves the shoppers in place.
    return Visits(
        user=user[session],
        session=session,
        starts=starts,
        time=begin[order][session] + elapsed,
        offsets=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
    )


class Shopping:
    """Walks every shopper through their steps, all shoppers of a block at once.

    A step stays with the type looked at before, moves to something that goes with it, to
    something like it, or to a fresh wish; a session begins where the last one ended, with
    what goes with the last purchase, or with a fresh wish. Within a type the item is drawn
    by popularity, tastes, novelty, and likeness to the item before.
    """

    def __init__(
        self, shop: Assortment, catalogue: Catalogue, tastes: Tastes, rng: np.random.Generator
    ) -> None:
        self._catalogue, self._tastes, self._rng = catalogue, tastes, rng
        self._members = _padded(
            [np.flatnonzero(catalogue.kind == n) for n in range(len(shop.types))]
        )
        self._goes = _padded([np.array(shop.positions(kind.goes)) for kind in shop.types])
        self._like = _padded([np.array(shop.positions(kind.like)) for kind in shop.types])
        self._season = _seasons(np.array([kind.month for kind in shop.types]))
        self._price_level = catalogue.price_level.astype(np.float32)
        self._log_popularity = np.log(catalogue.popularity).astype(np.float32)

    def choose(self, visits: Visits) -> Choices:
        """What every shopper looks at, puts in the cart and buys."""
        n = len(visits.user)
        chosen = Choices(np.full(n, -1), np.zeros(n, bool), np.zeros(n, bool))
        shoppers = len(visits.offsets) - 1
        size = max(1, _BLOCK // self._members.shape[1])
        for start in range(0, shoppers, size):
            self._walk(visits, np.arange(start, min(start + size, shoppers)), chosen)
        return chosen

    def _walk(self, visits: Visits, users: Ints, chosen: Choices) -> None:
        lengths = np.diff(visits.offsets)[users]
        users = users[np.argsort(-lengths, kind="stable")]
        lengths = np.sort(lengths)[::-1]
        kind, item, bought = (np.full(len(users), -1) for _ in range(3))
        for place in range(int(lengths[0])):
            active = int(np.searchsorted(-lengths, -place, side="left"))
            who, step = users[:active], visits.offsets[users[:active]] + place
            time = visits.time[step]
            kind[:active] = self._next_kind(
                who, kind[:active], bought[:active], starts=visits.starts[step], time=time
            )
            found, taste = self._next_item(who, kind[:active], item[:active], time)
            cart, purchase = self._decide(taste, found >= 0)
            chosen.item[step], chosen.cart[step], chosen.purchase[step] = found, cart, purchase
            item[:active] = np.where(found >= 0, found, item[:active])
            bought[:active] = np.where(purchase, kind[:active], bought[:active])
            bought[:active][visits.starts[step] & ~purchase] = -1

    def _next_kind(
        self, who: Ints, kind: Ints, bought: Ints, *, starts: NDArray[np.bool_], time: Ints
    ) -> Ints:
        """[A] the type each shopper looks at next."""
        dice = self._rng.random(len(who))
        stay, goes, like = (
            np.select([starts, bought == kind], values, default=usual)
            for values, usual in (([0.32, 0.15], 0.64), ([0.62, 0.80], 0.86), ([0.66, 0.85], 0.94))
        )
        goes_with = np.where(starts & (bought >= 0), bought, kind)
        wish = self._fresh_kind(who, time)
        following = np.select(
            [dice < stay, dice < goes, dice < like],
            [kind, self._pick(self._goes, goes_with), self._pick(self._like, kind)],
            default=wish,
        )
        on_sale = self._members[following, 0] >= 0
        return np.where((kind >= 0) & on_sale, following, wish)

    def _fresh_kind(self, who: Ints, time: Ints) -> Ints:
        month = (time - START_MS) // (30 * DAY_MS) % 12
        with np.errstate(divide="ignore"):
            wish = np.log(self._tastes.kinds[who] * self._season[month])
        return np.asarray(np.argmax(wish + self._noise(wish.shape), axis=1))

    def _pick(self, lists: Ints, of: Ints) -> Ints:
        row = lists[of]
        size = (row >= 0).sum(axis=1)
        place = (self._rng.random(len(of)) * size).astype(np.int64)
        return np.take_along_axis(row, place[:, None], axis=1)[:, 0]

    def _next_item(self, who: Ints, kind: Ints, before: Ints, time: Ints) -> tuple[Ints, Floats]:
        """[A] the item each shopper looks at next, and how well it suits them.

        Inside, [A, M]: every item of the type each of the shoppers looks at.
        """
        c, t = self._catalogue, self._tastes
        items = self._members[kind]
        rows = who[:, None]
        taste = (
            t.colour_words[rows, c.colour_word[items]]
            + t.brands[rows, c.brand[items]]
            - 0.8 * (self._price_level[items] - t.price[rows]) ** 2
        )
        last = before[:, None]
        alike = (
            1.0 * (c.line[items] == c.line[last])
            + 1.1 * (c.brand[items] == c.brand[last])
            + 1.1 * (c.colour_word[items] == c.colour_word[last])
            + 0.6 * (c.material[items] == c.material[last])
        ) * (last >= 0)
        age_days = (time[:, None] - c.launched[items]) / DAY_MS
        score = taste + alike + self._log_popularity[items] + (age_days < 30)
        hidden = (items < 0) | (age_days < 0) | (items == last)
        score = np.where(hidden, -np.inf, score + self._noise(score.shape))
        best = np.argmax(score, axis=1)
        at = np.arange(len(who))
        possible = np.isfinite(score[at, best])
        return np.where(possible, items[at, best], -1), taste[at, best]

    def _decide(
        self, taste: Floats, possible: NDArray[np.bool_]
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        likely = 1 / (1 + np.exp(2.7 - 0.5 * taste))
        cart = possible & (self._rng.random(len(taste)) < likely)
        return cart, cart & (self._rng.random(len(taste)) < 0.5)

    def _noise(self, shape: tuple[int, ...]) -> Floats:
        """Gumbel noise: the largest of log weights plus this is a draw by weight."""
        drawn = self._rng.standard_exponential(shape, np.float32)
        return -np.log(np.maximum(drawn, np.finfo(np.float32).tiny))


def log_of(catalogue: Catalogue, visits: Visits, choices: Choices) -> pl.DataFrame:
    """The events as a shop's log has them: views, carts and purchases."""
    ids = catalogue.items[schema.ITEM_ID]
    parts = []
    for kind, mask, later in (
        (EventKind.VIEW, choices.item >= 0, 0),
        (EventKind.CART, choices.cart, 6_000),
        (EventKind.PURCHASE, choices.purchase, 12_000),
    ):
        step = np.flatnonzero(mask)
        parts.append(
            pl.DataFrame(
                {
                    schema.USER_ID: user_ids(visits.user[step]),
                    schema.ITEM_ID: ids.gather(choices.item[step]),
                    schema.EVENT: pl.repeat(kind.value, len(step), eager=True),
                    schema.TIME: visits.time[step] + later,
                    schema.SESSION_ID: pl.Series(visits.session[step]).cast(pl.String),
                }
            )
        )
    return pl.concat(parts)


def user_ids(users: Ints) -> pl.Series:
    """Shoppers' ids: u00017."""
    return "u" + pl.Series(users).cast(pl.String).str.zfill(5)


def make_users(tastes: Tastes, rng: np.random.Generator) -> pl.DataFrame:
    """What the shop knows of its shoppers: a region, and an age group that hints at budget."""
    shoppers = len(tastes.price)
    age = np.clip(np.round(2 + tastes.price + rng.normal(0, 1, shoppers)), 0, 5).astype(np.int64)
    groups = np.array(["18-24", "25-34", "35-44", "45-54", "55-64", "65+"])
    return pl.DataFrame(
        {
            schema.USER_ID: user_ids(np.arange(shoppers)),
            "age_group": groups[age],
            "region": np.array(_REGIONS)[rng.integers(len(_REGIONS), size=shoppers)],
        }
    )


def _padded(lists: list[Ints]) -> Ints:
    """Lists of different lengths as one table, -1 after the end of each."""
    table = np.full((len(lists), max(len(one) for one in lists)), -1, np.int64)
    for row, one in enumerate(lists):
        table[row, : len(one)] = one
    return table


def _seasons(month: Ints) -> Floats:
    """[12, T] how much more each type is wanted in each month; 1 for all the year."""
    apart = np.abs(np.arange(1, 13)[:, None] - month)
    near = np.exp(-0.5 * (np.minimum(apart, 12 - apart) / 1.3) ** 2)
    return np.where(month > 0, 0.6 + 2.2 * near, 1.0).astype(np.float32)
