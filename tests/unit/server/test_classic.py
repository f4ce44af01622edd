"""The classic demo interface, answered by the same retriever."""

import pytest


def test_a_query_recommends_products_like_the_one_that_fits_best(client):
    told = client.get("/api/recommend?q=kettle&top_k=5").json()
    kettle = {"asin": "kettle", "title": "Steel kettle", "brand": "Koda"}
    assert told == {
        "query": "kettle",
        "query_item": {**kettle, "category": "Kitchen > Tea"},
        "recommendations": [
            {
                "rank": 1,
                "score": 1.0,
                "asin": "teapot",
                "title": "Glass teapot",
                "brand": "Koda",
                "category": "Kitchen > Tea",
            }
        ],
        "total": 1,
    }


@pytest.mark.parametrize("words", ["unicorn", "(", "["])
def test_what_fits_nothing_recommends_nothing_whatever_its_characters(client, words):
    told = client.get("/api/recommend", params={"q": words}).json()
    assert (told["query_item"], told["recommendations"], told["total"]) == (None, [], 0)


def test_a_search_shows_its_first_results_and_counts_all(client):
    told = client.get("/api/search?q=steel&limit=1").json()
    assert [one["asin"] for one in told["results"]] == ["kettle"]
    assert told["total"] == 2


def test_the_numbers_are_those_of_the_shop(client):
    told, stats = client.get("/api/stats").json(), client.get("/v1/stats").json()
    assert (told["total_items"], told["embedding_dim"]) == (stats["items"], stats["width"])
    assert told["top_categories"] == {"Kitchen": 2, "Light": 2}


@pytest.mark.parametrize("address", ["recommend?q=kettle&top_k=x", "search?q=+", "search?limit=1"])
def test_what_cannot_be_read_is_refused(client, address):
    assert client.get(f"/api/{address}").status_code == 422
