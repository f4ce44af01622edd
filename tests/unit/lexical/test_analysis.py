"""Which texts share terms, and which do not."""

import threading

import pytest

from twotower.errors import ConfigError
from twotower.lexical.analysis import Analyser
from twotower.lexical.language import Language, languages

analyse = Analyser().terms
STOP_WORDS = Language().stop_words


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("wd-40", "WD40"),
        ("GT-2455X", "gt2455x"),
        ("3x5", "3 x 5"),
        ("3X5", "3\u00d75"),
        ("4*8", "4x8"),
        ('1-1/2"', "1 1/2 in."),
        ("1½ inches", "1-1/2 inch"),
        ("½ in", '1/2"'),
        ("1,000 ft.", "1000 feet"),
        ("6'", "6 foot"),
        (".5", "0.5"),
        ("crème brûlée", "Creme Brulee"),
        ("Straße", "strasse"),
        ("smørrebrød", "smorrebrod"),
        ("batteries", "battery"),
        ("AT&amp;T", "at&t"),
        ("Men's", "men"),
        ("10 lbs", "10 pounds"),
        ("18-volt", "18 volts"),
        ("18V", "18 volt"),
        ("5' x 8'", "5 ft x 8 ft"),
        ("60 W", "60 watts"),
        ("5 in x 7 in", '5" x 7"'),
        ("\uff57\uff49\uff44\uff45 \uff11\uff12", "wide 12"),
    ],
)
def test_two_spellings_of_one_thing_have_the_same_terms(one, other):
    assert set(analyse(one)) == set(analyse(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [("1/2 in", "1/4 in"), ("1-1/2", "1/2"), ("3x5", "5x3"), ("0.5", "5"), ("wd-40", "wd-41")],
)
def test_different_sizes_and_codes_have_different_terms(one, other):
    assert set(analyse(one)) != set(analyse(other))


def test_a_code_is_kept_whole_and_in_parts():
    assert analyse("WD-40") == ["wd", "40", "wd40"]
    assert analyse("GT2455B") == ["gt", "2455", "b", "gt2455b"]
    assert "3m" in analyse("3M tape")
    assert set(analyse("wd 40")) < set(analyse("wd40"))


def test_a_letter_is_a_unit_after_a_number_only():
    assert "volt" in analyse("18 V battery")
    assert "volt" in analyse("18V battery")
    assert "volt" not in analyse("model V battery")
    assert "amp" not in analyse("a lamp")


def test_a_size_keeps_its_sides_and_the_pair():
    assert analyse("3 in. x 5 in.") == ["3", "in", "5", "in", "3x5"]
    assert analyse("2 x 4 x 8 ft.") == ["2", "4", "8", "ft", "2x4", "4x8"]


def test_a_joined_word_is_found_by_either_spelling():
    assert set(analyse("stove-top")) == {"stovetop", "stove", "top"}
    assert "stovetop" in analyse("stovetop")


def test_in_is_an_inch_after_a_number_and_nothing_otherwise():
    assert analyse("box 5 in. deep") == ["box", "5", "in", "deep"]
    assert analyse("box in white") == ["box", "white"]


def test_stop_words_alone_give_no_term():
    assert analyse(" ".join(sorted(STOP_WORDS))) == []


@pytest.mark.parametrize("text", ["", "   ", "!!! ...", "-", "'\"", "½½½", "&&&", "\x00\ufffd"])
def test_texts_without_words_are_no_accident(text):
    assert isinstance(analyse(text), list)


def test_other_scripts_keep_their_words():
    assert analyse("Красный чайник") == ["красныи", "чаиник"]
    assert analyse("東京 タワー") != []


def test_a_long_hostile_text_takes_linear_work():
    for hostile in ("1" * 100_000, "1 " * 50_000, "1-" * 50_000, "1." * 50_000, "a-" * 50_000,
                    "1" + " " * 100_000 + "x", "3x" * 50_000, "'" * 100_000):  # fmt: skip
        analyse(hostile)


def test_many_threads_stem_alike():
    words = [f"running{letter} batteries{letter}" for letter in "abcdefgh"] * 20
    expected = [analyse(word) for word in words]
    found: list[list[list[str]]] = []
    threads = [
        threading.Thread(target=lambda: found.append([analyse(word) for word in words]))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 4


# -- languages ------------------------------------------------------------------


def test_stems_and_stop_words_are_those_of_the_language():
    german = Analyser("german").terms
    assert german("die Häuser") == german("Haus") != []
    assert analyse("die Häuser") != analyse("Haus")
    assert german("mit und für") == []


def test_a_shop_without_a_language_keeps_its_words_as_they_are():
    assert Analyser("none").terms("the batteries") == ["the", "batteries"]


def test_every_language_we_name_can_be_used():
    assert {"english", "german", "finnish", "none"} <= set(languages())
    for language in languages():
        assert Analyser(language).terms("zwei 3x5 WD-40") != []


def test_an_unknown_language_is_refused_with_those_there_are():
    with pytest.raises(ConfigError, match=r"language must be one of .*german.*got 'klingon'"):
        Analyser("klingon")


def test_what_is_remembered_changes_nothing():
    fresh = [Analyser().terms(text) for text in ("18 v", "v 18", "in 18 in", "18 in in")]
    reused = [analyse(text) for text in ("18 v", "v 18", "in 18 in", "18 in in")]
    assert reused == fresh
