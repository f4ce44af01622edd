"""Judged queries and typed searches: words for the products, and grades that follow from them.

A query asks for a type, perhaps with a colour, material, option, brand or price; or it names
a need. Exact is what meets all of it; substitute, what misses one wish or is a like type;
complement, what goes with it; irrelevant, some of the rest. The words are drawn from all
synonyms, so that many exact products share no word with their query.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twotower import schema
from twotower.data.synthetic.assortment import Assortment, Need, Part
from twotower.data.synthetic.catalogue import Catalogue
from twotower.data.synthetic.shoppers import Choices, Visits, user_ids

Mask = NDArray[np.bool_]

_SUBSTITUTES: Final = 12
_COMPLEMENTS: Final = 6
_IRRELEVANT: Final = 8
_TYPOS: Final = 0.05
_SEARCHED: Final = 0.4
_SEARCH_LEAD_MS: Final = 20_000
_CHEAP: Final = ("cheap {}", "affordable {}", "budget {}", "{} on a budget", "inexpensive {}")
_FINE: Final = ("luxury {}", "premium {}", "high end {}", "best quality {}", "designer {}")
_SPELLINGS: Final = {"grey": "gray", "beige": "sand coloured", "turquoise": "aqua"}
_SHAPES: Final = (
    ("need", 0.17),
    ("type", 0.20),
    ("colour", 0.22),
    ("material", 0.12),
    ("option", 0.07),
    ("brand", 0.08),
    ("price", 0.07),
    ("colour and material", 0.07),
)
"""What queries ask for, and how many of each."""


@dataclass(frozen=True)
class Query:
    """What was asked, in words and as wishes.

    Attributes:
        text: the words.
        kind: place of the type asked for, -1 for a need.
        wishes: [N] masks, one for each wish beside the type.
        need: the need, where no type is named.
    """

    text: str
    kind: int = -1
    wishes: tuple[Mask, ...] = ()
    need: Need | None = field(default=None)


class Queries:
    """Makes queries for a catalogue and judges them."""

    def __init__(self, shop: Assortment, catalogue: Catalogue, rng: np.random.Generator) -> None:
        self._shop, self._catalogue, self._rng = shop, catalogue, rng
        self._kinds = [n for n in range(len(shop.types)) if (catalogue.kind == n).any()]
        self._place = {kind.key: n for n, kind in enumerate(shop.types)}

    def make(self, count: int) -> list[Query]:
        """Up to this many different queries that something in the catalogue answers."""
        found: dict[str, Query] = {}
        for shape, share in _SHAPES:
            makers = self._needs() if shape == "need" else self._typed(shape)
            wanted = round(count * share)
            for query in islice(makers, 30 * count):
                if wanted == 0:
                    break
                if query.text not in found and self.exact(query).any():
                    found[query.text] = query
                    wanted -= 1
        queries = [self._misspelt(query) for query in found.values()]
        return [queries[n] for n in self._rng.permutation(len(queries))]

    def judge(self, queries: Sequence[Query]) -> pl.DataFrame:
        """The judgments: all exact products, and some of each other grade."""
        ids = self._catalogue.items[schema.ITEM_ID]
        parts = []
        for query in queries:
            graded = self._graded(query)
            rows = np.concatenate(list(graded.values()))
            grades = np.repeat(list(graded), [len(found) for found in graded.values()])
            parts.append(
                pl.DataFrame(
                    {
                        schema.QUERY: pl.repeat(query.text, len(rows), eager=True),
                        schema.ITEM_ID: ids.gather(rows),
                        schema.GRADE: pl.Series(grades, dtype=pl.String),
                    }
                )
            )
        return pl.concat(parts)

    def exact(self, query: Query) -> Mask:
        """[N] the products that meet all that was asked."""
        if query.need is not None:
            return self._any_part(query.need.exact)
        return _all([self._catalogue.kind == query.kind, *query.wishes])

    def searches(self, visits: Visits, choices: Choices) -> pl.DataFrame:
        """Typed queries of the log: before some sessions, in words for what is then looked at."""
        first = np.flatnonzero(visits.starts & (choices.item >= 0))
        first = first[self._rng.random(len(first)) < _SEARCHED]
        texts = [self._searched(int(item)) for item in choices.item[first]]
        return pl.DataFrame(
            {
                schema.USER_ID: user_ids(visits.user[first]),
                schema.EVENT: pl.repeat(schema.SEARCH, len(first), eager=True),
                schema.TIME: visits.time[first] - _SEARCH_LEAD_MS,
                schema.SESSION_ID: pl.Series(visits.session[first]).cast(pl.String),
                schema.QUERY: pl.Series(texts, dtype=pl.String),
            }
        )

    def _graded(self, query: Query) -> dict[str, NDArray[np.int64]]:
        exact = self.exact(query)
        if query.need is not None:
            near, goes = (
                self._any_part(query.need.substitute),
                self._any_part(query.need.complement),
            )
        else:
            near, goes = self._near(query), self._of_kinds(self._shop.types[query.kind].goes)
        near &= ~exact
        goes &= ~exact & ~near
        other = ~exact & ~near & ~goes
        return {
            "E": np.flatnonzero(exact),
            "S": self._some(near, _SUBSTITUTES),
            "C": self._some(goes, _COMPLEMENTS),
            "I": self._some(self._tempting(query, other), _IRRELEVANT),
        }

    def _near(self, query: Query) -> Mask:
        """Misses one wish of several, or is of a like type and meets them all."""
        same = self._catalogue.kind == query.kind
        missed = (
            np.sum([~wish for wish in query.wishes], axis=0) if query.wishes else np.ones(len(same))
        )
        like = self._of_kinds(self._shop.types[query.kind].like)
        missed_one: Mask = same & (missed == 1)
        return missed_one | _all([like, *query.wishes])

    def _tempting(self, query: Query, other: Mask) -> Mask:
        """Irrelevant products that share a wish or the department, else any."""
        if query.wishes:
            shares = other & _any(query.wishes)
            return shares if shares.sum() >= _IRRELEVANT else other
        return other

    def _some(self, mask: Mask, most: int) -> NDArray[np.int64]:
        rows = np.flatnonzero(mask)
        return np.sort(self._rng.permutation(rows)[:most])

    def _of_kinds(self, keys: tuple[str, ...]) -> Mask:
        return np.isin(self._catalogue.kind, self._shop.positions(keys))

    def _any_part(self, parts: tuple[Part, ...]) -> Mask:
        return _any([self._part(part) for part in parts])

    def _part(self, part: Part) -> Mask:
        place, c = self._place[part.key], self._catalogue
        same: Mask = c.kind == place
        if part.only is None:
            return same
        kind = self._shop.types[place]
        if part.only in kind.options[0]:
            return _all([same, c.option == kind.options[0].index(part.only)])
        return same & self._is_material(part.only)

    def _is_material(self, name: str) -> Mask:
        if name not in self._catalogue.materials:
            return np.zeros(len(self._catalogue), bool)
        return _all([self._catalogue.material == self._catalogue.materials.index(name)])

    def _needs(self) -> Iterator[Query]:
        phrases = [(text, need) for need in self._shop.needs for text in need.phrases]
        for n in self._rng.permutation(len(phrases)):
            text, need = phrases[n]
            yield Query(text, need=need)

    def _typed(self, shape: str) -> Iterator[Query]:
        """Queries of this shape without end, each about a product drawn from the catalogue."""
        ask = self._askers[shape]
        while True:
            kind = self._kinds[self._rng.integers(len(self._kinds))]
            item = int(self._rng.choice(np.flatnonzero(self._catalogue.kind == kind)))
            yield ask(item)

    @property
    def _askers(self) -> dict[str, Callable[[int], Query]]:
        return {
            "type": self._ask_type,
            "colour": self._ask_colour,
            "material": self._ask_material,
            "option": self._ask_option,
            "brand": self._ask_brand,
            "price": self._ask_price,
            "colour and material": self._ask_colour_and_material,
        }

    def _ask_type(self, item: int) -> Query:
        kind = int(self._catalogue.kind[item])
        return Query(self._one(self._shop.types[kind].nouns).lower(), kind)

    def _ask_colour(self, item: int) -> Query:
        number = self._catalogue.colour_word[item]
        word = self._catalogue.colour_words[number]
        if word in _SPELLINGS and self._rng.random() < 0.4:
            word = _SPELLINGS[word]
        return self._with(
            self._ask_type(item), ("{w} {n}", "{w} {n}", "{n} in {w}", "{n} {w}"), word,
            self._catalogue.colour_word == number,
        )  # fmt: skip

    def _ask_material(self, item: int) -> Query:
        number = self._catalogue.material[item]
        word = self._catalogue.materials[number].lower()
        forms = ("{w} {n}", "{w} {n}", "{n} made of {w}")
        return self._with(self._ask_type(item), forms, word, self._catalogue.material == number)

    def _ask_colour_and_material(self, item: int) -> Query:
        coloured, made = self._ask_colour(item), self._ask_material(item)
        number = self._catalogue.colour_word[item]
        text = f"{self._catalogue.colour_words[number]} {made.text}"
        return Query(text, made.kind, (*coloured.wishes, *made.wishes))

    def _ask_option(self, item: int) -> Query:
        asked = self._ask_type(item)
        number = self._catalogue.option[item]
        word = self._shop.types[asked.kind].options[0][number].lower()
        return self._with(asked, ("{w} {n}", "{n} {w}"), word, self._catalogue.option == number)

    def _ask_brand(self, item: int) -> Query:
        number = self._catalogue.brand[item]
        word = self._shop.brands[number].name.lower()
        forms = ("{w} {n}", "{n} by {w}", "{w} {n}")
        return self._with(self._ask_type(item), forms, word, self._catalogue.brand == number)

    def _ask_price(self, item: int) -> Query:
        asked, level = self._ask_type(item), self._catalogue.price_level
        if self._catalogue.price_level[item] < 0:
            return replace(asked, text=self._one(_CHEAP).format(asked.text), wishes=(level < -0.5,))
        return replace(asked, text=self._one(_FINE).format(asked.text), wishes=(level > 0.6,))

    def _with(self, asked: Query, forms: Sequence[str], word: str, wish: Mask) -> Query:
        text = self._one(forms).format(w=word, n=asked.text)
        return replace(asked, text=text, wishes=(*asked.wishes, wish))

    def _searched(self, item: int) -> str:
        dice = self._rng.random()
        if dice < 0.45:
            return self._ask_type(item).text
        if dice < 0.75:
            return self._ask_colour(item).text
        return (self._ask_brand(item) if dice < 0.9 else self._ask_material(item)).text

    def _misspelt(self, query: Query) -> Query:
        """Now and then two letters within a long word change places."""
        words = query.text.split()
        long = [n for n, word in enumerate(words) if len(word) > 5 and word.isalpha()]
        if not long or self._rng.random() >= _TYPOS:
            return query
        n = long[int(self._rng.integers(len(long)))]
        at = int(self._rng.integers(1, len(words[n]) - 2))
        word = words[n]
        words[n] = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        return replace(query, text=" ".join(words))

    def _one(self, choices: Sequence[str]) -> str:
        return choices[int(self._rng.integers(len(choices)))]


def _all(masks: Sequence[Mask]) -> Mask:
    return np.asarray(np.logical_and.reduce(masks))


def _any(masks: Sequence[Mask]) -> Mask:
    return np.asarray(np.logical_or.reduce(masks))
