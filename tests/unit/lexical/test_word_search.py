"""What a query may mean: codes, compounds, mistyped words, synonyms; live changes; files."""

import json
import threading
from pathlib import Path

import numpy as np
import pytest

from twotower.errors import ConfigError, CorruptBundle, DataError, IncompatibleBundle
from twotower.lexical.bm25 import Parameters
from twotower.lexical.reading import MAX_TOKENS
from twotower.lexical.word_search import WordSearch

TITLES = [
    "Whirlpool refrigerator in white",  # 0
    "Lawn mower with grass bag",  # 1
    "Lawnmower blade",  # 2
    "WD-40 lubricant 8 oz.",  # 3
    "Lubricant oil 40 wt.",  # 4
    "3 ft. x 5 ft. rug",  # 5
    "Rug 5 ft. round",  # 6
    "Stainless steel gas grill",  # 7
    "Steel gas grill cover",  # 8
    "Girls bicycle",  # 9
    "1/2 in. copper pipe",  # 10
    "3/4 in. copper pipe",  # 11
    "Carpet cleaner",  # 12
    "Sofa with two seats",  # 13
]


@pytest.fixture
def words() -> WordSearch:
    return WordSearch.fit({"title": TITLES})


def found(words: WordSearch, query: str, k: int = 14) -> list[int]:
    return [row for row in words.search(query, k)[0].tolist() if row >= 0]


# -- codes, numbers and units ----------------------------------------------------


@pytest.mark.parametrize("query", ["wd40", "WD-40", "wd 40", "Wd - 40"])
def test_a_code_is_found_in_every_spelling_before_its_parts(words, query):
    assert found(words, query)[0] == 3


@pytest.mark.parametrize("query", ["wd40", "wd-40", "wd 40"])
def test_a_code_is_found_however_the_catalogue_spells_it(query):
    words = WordSearch.fit({"title": ["oil 40", "WD 40 spray", "wd", "WD-40 can", "WD40 pen"]})
    assert set(found(words, query, 3)) == {1, 3, 4}


@pytest.mark.parametrize("query", ["1/2 in pipe", "1/2 inch pipe", '1/2" pipe', "½ in. pipe"])
def test_a_fraction_is_one_number_and_an_inch_an_inch(words, query):
    assert found(words, query, 2) == [10, 11]


@pytest.mark.parametrize("query", ["3x5 rug", "3 x 5 rug", "3' x 5' rug", "3 ft by 5 ft rug"])
def test_a_size_finds_its_pair_before_one_of_its_sides(words, query):
    assert found(words, query, 2) == [5, 6]


# -- compounds -------------------------------------------------------------------


@pytest.mark.parametrize("query", ["lawnmower", "lawn mower", "lawn-mower", "lawnmowers"])
def test_a_compound_is_found_joined_and_split(words, query):
    assert set(found(words, query)) == {1, 2}


def test_a_word_is_split_only_where_the_catalogue_has_its_parts_side_by_side():
    titles = ["carpet", "car mat for pet", "car mat", "car pet seat"]
    assert set(found(WordSearch.fit({"title": titles[:3]}), "carpet")) == {0}
    assert {0, 3} <= set(found(WordSearch.fit({"title": titles}), "carpet")) <= {0, 1, 3}


def test_half_of_a_compound_is_not_the_compound(words):
    words.upsert(14, {"title": "Lawn chair"})
    assert 14 not in found(words, "lawnmower")
    assert 14 in found(words, "lawn mower")


def test_what_was_typed_scores_above_what_it_may_mean(words):
    assert found(words, "lawnmower")[0] == 2
    assert found(words, "lawn mower")[0] == 1


# -- mistyped words --------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("refridgerator", "refrigerator"),
        ("wirlpool", "whirlpool"),
        ("gas gril", "gas grill"),
        ("Stainles  Steel", "stainless Steel"),
        ("lubricnat", "lubricant"),
    ],
)
def test_a_mistyped_word_finds_what_was_meant_and_says_so(words, typed, meant):
    assert words.read(typed).corrected == meant
    assert found(words, typed) == found(words, meant) != []


def test_a_known_word_is_never_replaced(words):
    assert words.read("girls grill").corrected is None
    assert found(words, "girls") == [9]


@pytest.mark.parametrize("typed", ["rgu", "wd41", "wd-41", "1/3", "steel7", "zzzzzz"])
def test_short_words_codes_and_numbers_are_not_guessed_at(words, typed):
    assert words.read(typed).corrected is None


def test_two_edits_are_forgiven_from_eight_letters_on(words):
    assert words.read("refrigeratro").corrected == "refrigerator"
    assert words.read("refrigrtor").corrected == "refrigerator"
    assert words.read("coxxer").corrected is None, "six letters, two edits"


def test_a_short_word_that_was_typed_right_is_not_replaced_by_chance():
    words = WordSearch.fit({"title": ["Sleepy bear", "Silk tie", "Wool tie", "Kitchen tile"]})
    assert words.read("sleepy time").corrected is None
    assert words.read("sleepy beat").corrected is None, "one product is no evidence"
    assert words.read("slepy tie").corrected == "sleepy tie"
    words.upsert(4, {"title": "Floor tile"})
    assert words.read("tlie").corrected == "tile", "two products are"


def test_the_commoner_of_equally_near_words_is_meant():
    titles = ["grill", "grill", "grill", "grild"]
    words = WordSearch.fit({"title": titles})
    assert words.read("grilm").corrected == "grill"
    assert found(words, "grilm")[:3] == [0, 1, 2]


def test_a_guess_counts_less_than_the_word_itself(words):
    exact, guessed = words.scores("refrigerator")[0], words.scores("refridgerator")[0]
    assert 0 < guessed < exact


def test_an_unfinished_word_finds_what_it_begins(words):
    assert found(words, "refrig") == [0]
    assert words.read("refrig").corrected is None, "it is not wrong, only not finished"


def test_accents_and_capitals_are_corrected_too():
    words = WordSearch.fit({"title": ["Crème brûlée torch", "kettle"]})
    assert words.read("CRÈMRE kettle").corrected == "creme kettle"


# -- synonyms --------------------------------------------------------------------

RULES = ["# ours", "", "couch, sofa, settee", "fridge => refrigerator  # one way"]


def test_synonyms_find_each_other_and_one_way_ones_do_not_come_back():
    words = WordSearch.fit({"title": [*TITLES, "Fridge magnet", "Red couch"]}, synonyms=RULES)
    assert set(found(words, "sofa")) == set(found(words, "couch")) == {13, 15}
    assert set(found(words, "settee")) == {13, 15}
    assert set(found(words, "fridge")) == {0, 14}
    assert set(found(words, "refrigerator")) == {0}
    assert words.read("settee").corrected is None


def test_what_was_typed_comes_before_its_synonym():
    words = WordSearch.fit({"title": ["sofa", "sofa", "couch"]}, synonyms=RULES)
    assert found(words, "sofa") == [0, 1, 2]
    assert found(words, "couch")[0] == 2


def test_a_phrase_can_be_a_synonym_either_side():
    rules = ["garbage disposal, waste disposer", "tv => flat screen"]
    titles = ["Waste disposer", "Garbage bag", "Flat screen mount"]
    words = WordSearch.fit({"title": titles}, synonyms=rules)
    assert found(words, "garbage disposal")[0] == 0
    assert found(words, "tv") == [2]


@pytest.mark.parametrize("line", ["couch", "couch, couches", "=> sofa", "a, the", "couch,,sofa"])
def test_a_line_that_is_no_rule_is_named(line):
    with pytest.raises(DataError, match=r"synonyms\.txt: line 2: expected"):
        WordSearch.fit({"title": ["sofa"]}, synonyms=["couch, sofa", line])


# -- any query -------------------------------------------------------------------


@pytest.mark.parametrize(
    "query",
    ["(", "[a-z]+", "*", "\\", "a|b)", "$^", "the of and", "???", "\x00", "🔥🔥", "🛋️ sofa",
     "كنبة", "ספה אדומה", "12345", "1 2 3", "- - -", "'\"", "%s%d", "<script>", "\u202esofa"],
)  # fmt: skip
def test_no_query_is_an_error(words, query):
    reading = words.read(query)
    assert words.scores(reading).shape == (len(TITLES),)
    assert (13 in found(words, query)) == ("sofa" in query)


def test_an_endless_query_is_cut_and_says_so(words):
    endless = "sofa " + "refridgerator lawnmowers " * 400
    assert len(endless) > 10_000
    reading = words.read(endless)
    assert reading.is_cut
    assert len(reading.slots) <= 2 * MAX_TOKENS
    assert {0, 1, 2, 13} <= set(found(words, endless))
    assert not words.read("sofa " * MAX_TOKENS).is_cut
    words.read("x" * 10_000)
    words.read("1x" * 5_000)


# -- live changes ----------------------------------------------------------------


def test_a_new_product_brings_its_words_and_takes_them_with_it(words):
    assert found(words, "xylophnoe") == []
    words.upsert(14, {"title": "Wooden xylophone"})
    assert words.read("xylophnoe").corrected == "xylophone"
    assert found(words, "xylophnoe") == [14]
    words.delete(14)
    assert words.read("xylophnoe").corrected is None
    assert found(words, "xylophone") == []


def test_compounds_follow_the_products_that_are_there(words):
    words.upsert(14, {"title": "Powerwasher"})
    assert found(words, "power washer") == [14]
    words.upsert(15, {"title": "Power washer hose"})
    assert set(found(words, "powerwasher")) == {14, 15}
    words.upsert(15, {"title": "Washer"})
    assert found(words, "powerwasher") == [14]
    words.delete(1)
    words.delete(2)
    assert found(words, "lawnmower") == []


def test_a_word_whose_last_product_went_is_unknown_again(words):
    words.delete(9)
    assert words.read("girls").corrected is None or found(words, "girls") != [9]
    assert 9 not in found(words, "girls")


def test_readers_go_on_while_products_change(words):
    faults: list[BaseException] = []
    stop = threading.Event()

    def read() -> None:
        try:
            while not stop.is_set():
                assert 0 in found(words, "refridgerator lawnmower")
        except BaseException as fault:
            faults.append(fault)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for turn in range(100):
        words.upsert(14, {"title": f"new{turn} lawnmower words{turn}"})
        words.delete(14)
    stop.set()
    for reader in readers:
        reader.join()
    assert faults == []


def test_rows_outside_the_catalogue_are_refused(words):
    with pytest.raises(ConfigError, match=r"0\.\.14"):
        words.upsert(16, {"title": "gap"})
    with pytest.raises(ConfigError, match=r"0\.\.13"):
        words.delete(14)
    assert found(words, "gap") == []


# -- files -----------------------------------------------------------------------

QUERIES = ("settee", "refridgerator", "lawnmower", "wd40", "3x5", "green lamp", "umbrella")


def test_saved_words_answer_the_same_live_changes_included(tmp_path):
    documents = {"title": TITLES, "brand": [None] * 13 + ["Koda"]}
    parameters = Parameters(1.2, 0.75, {"brand": 0.3})
    words = WordSearch.fit(documents, parameters=parameters, synonyms=RULES)
    words.upsert(14, {"title": "umbrella lamp", "brand": "Koda"})
    words.upsert(15, {"title": "umbrella"})
    words.upsert(1, {"title": "green lamp"})
    words.delete(15)
    words.delete(3)
    words.save(tmp_path)
    opened = WordSearch.load(tmp_path, expected_items=16)
    assert opened.bm25.parameters == parameters
    assert opened.synonyms == words.synonyms
    for query in (*QUERIES, "koda"):
        assert opened.read(query).corrected == words.read(query).corrected
        np.testing.assert_array_equal(opened.scores(query), words.scores(query))


def test_saved_words_keep_their_language(tmp_path):
    WordSearch.fit({"title": ["Häuser"]}, language="german").save(tmp_path)
    assert found(WordSearch.load(tmp_path), "haus") == [0]


def test_saving_twice_gives_the_same_bytes(words, tmp_path):
    words.save(tmp_path / "one")
    WordSearch.fit({"title": TITLES}).save(tmp_path / "two")
    for path in sorted((tmp_path / "one").iterdir()):
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes(), path.name


def test_a_wrong_number_of_items_is_refused_by_name(words, tmp_path):
    words.save(tmp_path)
    with pytest.raises(IncompatibleBundle, match="words of 9 items"):
        WordSearch.load(tmp_path, expected_items=9)


@pytest.mark.parametrize("name", ["format", "analysis"])
def test_another_version_is_refused_by_name(words, tmp_path, name):
    words.save(tmp_path)
    meta = json.loads((tmp_path / "lexical.json").read_text())
    (tmp_path / "lexical.json").write_text(json.dumps(meta | {name: 1}))
    with pytest.raises(IncompatibleBundle, match=f"{name} 2 .*found 1"):
        WordSearch.load(tmp_path)


def test_every_missing_or_truncated_file_is_named(words, tmp_path: Path):
    words.save(tmp_path)
    paths = sorted(tmp_path.iterdir())
    assert [path.name for path in paths] == [
        "lexical.json", "live.json", "postings.npz", "words.npz",
    ]  # fmt: skip
    for path in paths:
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
        with pytest.raises(CorruptBundle, match=path.name):
            WordSearch.load(tmp_path)
        path.unlink()
        with pytest.raises(CorruptBundle, match=path.name):
            WordSearch.load(tmp_path)
        path.write_bytes(whole)


@pytest.mark.parametrize("name", ["postings.npz", "words.npz"])
def test_altered_arrays_are_refused(words, tmp_path: Path, name):
    words.save(tmp_path)
    path = tmp_path / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(CorruptBundle, match=name):
        WordSearch.load(tmp_path)
