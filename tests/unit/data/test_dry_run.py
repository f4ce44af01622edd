"""`prepare --dry-run`: roles with reasons, a mapping to edit, nothing written."""

import polars as pl
import pytest
from little_shop import shop

from twotower.data import shop_toml
from twotower.data.config import PrepareConfig
from twotower.data.dry_run import dry_run
from twotower.data.prepare import prepare
from twotower.data.roles import role_of
from twotower.data.tables import Export

GERMAN = "".join(
    f"A{n:03};Tisch {n} aus Holz;Möbel > {'Tische' if n % 2 else 'Büro'};{n},50;bild/{n}.jpg;"
    f"{'rot' if n % 3 else 'blau'}\n"
    for n in range(60)
)
LOG = "".join(f"k{n % 9},A{n * 7 % 60:03},{1700000000 + n * 1000},gekauft\n" for n in range(90))


@pytest.fixture
def german(tmp_path):
    folder = tmp_path / "laden"
    folder.mkdir()
    (folder / "artikel_product_export.csv").write_text(
        "Nummer;Bezeichnung;Warengruppe;Preis;Bild;Farbe\n" + GERMAN
    )
    (folder / "log-2024.csv").write_text("kunde,artikel,wann,was\n" + LOG)
    (folder / "shop.toml").write_text(
        '[events]\nfile = "log-*.csv"\n[events.kinds]\ngekauft="purchase"\n'
    )
    return folder


def found(rehearsed):
    return {one.column: (one.role.name, one.ours, one.by) for one in rehearsed.guess.columns}


def test_columns_that_names_do_not_tell_are_guessed_by_their_values(german):
    assert found(dry_run(str(german), PrepareConfig())) == {
        "Nummer": ("id", "item_id", "values"),
        "Bezeichnung": ("text", "title", "values"),
        "Warengruppe": ("category path", "category", "values"),
        "Preis": ("number", "price", "values"),
        "Bild": ("image", "image", "values"),
        "Farbe": ("category", "attributes", "values"),
        "kunde": ("category", "user_id", "values"),
        "artikel": ("id", "item_id", "values"),
        "wann": ("time", "time", "values"),
        "was": ("category", "event", "values"),
    }


def test_the_guess_is_a_shop_toml_that_prepares_the_same(german, tmp_path):
    rehearsed = dry_run(str(german), PrepareConfig())
    mapping = tmp_path / "mapping.toml"
    mapping.write_text(rehearsed.shop_toml, encoding="utf-8")
    assert "# guessed: levels, such as 'Möbel > Büro'" in rehearsed.shop_toml
    dataset = prepare(Export(german, mapping))
    assert dataset.content_hash == rehearsed.dataset.content_hash
    assert dataset.counts["events"] == 90
    assert set(dataset.events["event"]) == {"purchase"}  # what shop.toml said is kept


def test_what_shop_toml_says_is_never_contradicted(german):
    text = (german / "shop.toml").read_text() + '[items.columns]\ntitle = "Warengruppe"\n'
    (german / "shop.toml").write_text(text)
    columns = found(dry_run(str(german), PrepareConfig()))
    assert columns["Warengruppe"] == ("category path", "title", "shop.toml")
    assert columns["Bezeichnung"][1] is None


def test_known_names_need_no_guess(tmp_path):
    rehearsed = dry_run(str(shop(tmp_path)), PrepareConfig())
    assert {one.by for one in rehearsed.guess.columns} == {"name"}
    assert rehearsed.dataset.content_hash == prepare(tmp_path).content_hash


def test_what_would_be_refused_is_told(tmp_path):
    rehearsed = dry_run(
        str(shop(tmp_path, events="user_id,item_id,event\nu,a,dance\n")), PrepareConfig()
    )
    assert rehearsed.dataset is None
    assert "'dance'" in rehearsed.refused


def test_a_dry_run_of_made_up_tables_has_no_mapping():
    rehearsed = dry_run("synthetic:products=60,shoppers=30", PrepareConfig())
    assert rehearsed.guess is None
    assert rehearsed.to_json()["counts"]["items"] == 60


def test_the_command_writes_nothing_but_the_mapping(german, tmp_path, twotower):
    before = sorted(german.iterdir())
    mapping = tmp_path / "m.toml"
    said = twotower("prepare", german, "--dry-run", "--shop", mapping)
    assert said.code == 0, said.err
    assert "Warengruppe" in said.out
    assert "guessed" in said.out
    assert sorted(german.iterdir()) == before
    assert shop_toml.read(mapping).tables["items"].columns["title"] == "Bezeichnung"
    mapping.write_text(mapping.read_text().replace("Bezeichnung", "Farbe"))
    again = twotower("prepare", german, "--dry-run", "--shop", mapping, "--json").json
    assert 'title = "Farbe"' in again["shop_toml"]  # edited, so read and not written over
    assert 'title = "Farbe"' in mapping.read_text()


def test_without_a_place_to_write_prepare_asks_for_one(german, twotower):
    assert twotower("prepare", german).code == 2


@pytest.mark.parametrize(
    ("values", "role"),
    [
        ([""], "empty"),
        (["00501", "00502"], "id"),
        (["1.299,00 €", "3,50 €"], "number"),
        (["2024-01-31", "2024-02-01T10:00:00Z"], "time"),
        ([1700000000000, 1710000000000], "time"),
        ([1995, 1996], "number"),
        (["https://x.example/a.jpg", "b.PNG?w=3"], "image"),
        ([[1], [2]], "list"),
        ([True, False], "category"),
        (["A > B", "A > C", "A > D"], "category path"),
        (["a-1", "b-2", "c-3"], "id"),
        (["red sofa"] * 30 + ["blue sofa"], "category"),
    ],
)
def test_roles_follow_from_values(values, role):
    assert role_of(pl.Series("column", values)).name == role


def test_whole_numbers_are_ids_by_their_name_or_where_no_two_are_alike():
    assert role_of(pl.Series("zip", ["00501", "10001"])).name != "time"
    assert role_of(pl.Series("product_id", [3, 3, 4])).name == "id"
    assert role_of(pl.Series("number", list(range(100)))).name == "id"
    assert role_of(pl.Series("number", [1, 2, 2] * 30)).name == "number"
