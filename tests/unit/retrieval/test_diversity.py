"""Lists that are not all alike, against the definition written out."""

import numpy as np
import polars as pl
import pytest
from little_bundle import little_bundle

from twotower.errors import ConfigError
from twotower.features.history import History
from twotower.filtering.columns import Columns
from twotower.retrieval.diversity import Diversity
from twotower.retrieval.retriever import Retriever
from twotower.retrieval.rules import Rule

N = 40


@pytest.fixture(scope="module")
def made():
    """Rows, scores, vectors and columns of forty products, the best first."""
    random = np.random.default_rng(3)
    vectors = random.normal(size=(N, 8)).astype(np.float32)
    scores = np.sort(random.normal(size=N).astype(np.float32))[::-1].copy()
    brands = [None if n % 5 == 0 else f"b{n % 3}" for n in range(N)]
    items = pl.DataFrame(
        {
            "item_id": [str(n) for n in range(N)],
            "brand": brands,
            "category": [f"c{n % 2}" for n in range(N)],
        }
    )
    return np.arange(N), scores, vectors, Columns.of(items), brands


@pytest.mark.parametrize("weight", [0.0, 0.3, 0.7, 1.0])
def test_each_place_goes_to_the_one_with_the_greatest_margin(made, weight):
    rows, scores, vectors, columns, _ = made
    places = Diversity(weight).chosen(rows, scores, vectors, columns, 12).tolist()
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    fit = (scores - scores.min()) / (scores.max() - scores.min())
    before: list[int] = []
    for place in places:
        margin = {
            n: (1 - weight) * fit[n]
            - weight * max((float(unit[n] @ unit[one]) for one in before), default=0.0)
            for n in range(N)
            if n not in before
        }
        assert margin[place] == pytest.approx(max(margin.values()), abs=1e-6)
        before.append(place)
    if weight == 0:
        assert places == list(range(12))


def test_the_more_weight_the_less_alike(made):
    rows, scores, vectors, columns, _ = made
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def alike(weight):
        places = Diversity(weight).chosen(rows, scores, vectors, columns, 8)
        return float(np.triu(unit[places] @ unit[places].T, 1).max())

    assert alike(1.0) < alike(0.5) < alike(0.0)


@pytest.mark.parametrize("k", [6, 12, N, 100])
def test_no_brand_has_more_than_its_share_while_others_are_left(made, k):
    rows, scores, vectors, columns, brands = made
    at_most = {"brand": 2, "category": 6}
    places = Diversity(0.0, at_most).chosen(rows, scores, vectors, columns, k).tolist()
    assert len(places) == len({*places}) == min(k, N)
    for number, place in enumerate(places):
        before, left = places[:number], [n for n in range(N) if n not in places[:number]]

        def is_free(n, before=before):
            own = [one for one in before if brands[one] == brands[n]]
            of_category = [one for one in before if one % 2 == n % 2]
            return (brands[n] is None or len(own) < 2) and len(of_category) < 6

        free = [n for n in left if is_free(n)]
        assert place == min(free or left)


@pytest.mark.parametrize("users", [True, False])
def test_lists_take_it_and_never_get_shorter(users):
    shop = Retriever(little_bundle(users=users))
    wanted = Diversity(0.0, {"brand": 1})
    first = shop.bundle.dataset.items["item_id"].to_list().index("chair")
    for ask in (
        lambda **more: shop.recommend(History.of([first]), k=3, **more),
        lambda **more: shop.similar("sofa-blue", k=3, **more),
        lambda **more: shop.recommend(History.of([]), k=3, **more),
    ):
        found = ask(diversity=wanted)
        brands = [hit.item["brand"] for hit in found.hits if hit.item["brand"]]
        assert len(brands) == len({*brands})
        assert len(found.hits) == 3
        assert found.total == ask().total
        plain = ask(diversity=Diversity())
        assert [hit.score for hit in plain.hits] == [hit.score for hit in ask().hits]


def test_pins_keep_their_places_in_a_diverse_list():
    shop = Retriever(little_bundle())
    pins = [Rule("r", "pin", item_ids=("sofa-red", "sofa-blue"), position=1)]
    found = shop.similar("lamp", k=4, rules=pins, diversity=Diversity(0.5, {"brand": 1}))
    assert [hit.item_id for hit in found.hits][:2] == ["sofa-red", "sofa-blue"]


@pytest.mark.parametrize("wrong", [(-0.1, {}), (1.1, {}), (0.5, {"brand": 0}), (0.5, {"price": 2})])
def test_what_cannot_be_meant_is_refused(wrong):
    with pytest.raises(ConfigError, match="must"):
        Diversity(*wrong)
