"""MovieLens 100K, 1M, 20M, 25M, 32M and latest: ratings of films by volunteers.

Source: F. M. Harper and J. A. Konstan, "The MovieLens Datasets", TiiS 5(4), 2015,
https://grouplens.org/datasets/movielens/. Licence: GroupLens, research use, no redistribution.

Files of 100K: u.data (user, item, rating, time; tabs), u.item (id, title with year, dates, URL,
19 flags of genres; bars, ISO-8859-1) and u.user (id, age, gender, occupation, zip code); or the
Parquet files inter, item and user of the RecBole project. Of 1M: ratings.dat, movies.dat,
users.dat. Of the others: ratings.csv and movies.csv.

Taken: every rating as the event `review`, with its time; titles with their year; genres as
attributes; what is known of the users. Not taken: how many stars (every rating is a positive, as
in most published tables), tags, release dates and links.

Protocols of published tables (the retrieval tutorial of TensorFlow Recommenders, the benchmark of
Microsoft's Recommenders) are in `benchmarks/protocols.py`; see docs/public-data.md.

The publisher counts users, films and ratings: 943, 1,682, 100,000 (100K); 6,040, 3,883 of which
3,706 are rated, 1,000,209 (1M); 138,493, 27,278, 20,000,263 (20M); 162,541, 62,423, 25,000,095
(25M); 200,948, 87,585, 32,000,204 (32M).
"""

from pathlib import Path
from typing import Final

import polars as pl

from twotower import schema
from twotower.data.shop_toml import TableMapping
from twotower.data.sources import files
from twotower.data.sources.files import PublisherFile
from twotower.data.sources.remote import Remote
from twotower.data.sources.source import PlainLog, PublicSource
from twotower.data.tables import Tables

_HOME: Final = "https://grouplens.org/datasets/movielens/"
_RATINGS_100K: Final = PublisherFile(
    ("u.data", "inter.parquet"), "user, item, rating and time of each rating, by tabs", _HOME
)
_FILMS_100K: Final = PublisherFile(
    ("u.item", "item.parquet"), "a film on each line: id, title, dates, URL, 19 flags, by |", _HOME
)
_USERS_100K: Final = PublisherFile(
    ("u.user", "user.parquet"), "a user on each line: id, age, gender, occupation, zip, by |", _HOME
)
_RATINGS_1M: Final = PublisherFile(
    ("ratings.dat",), "user, film, rating and time of each rating, by ::", _HOME
)
_FILMS_1M: Final = PublisherFile(("movies.dat",), "id, title and genres of each film, by ::", _HOME)
_USERS_1M: Final = PublisherFile(
    ("users.dat",), "id, gender, age, occupation and zip of each user, by ::", _HOME
)
_RATINGS: Final = PublisherFile(("ratings.csv",), "userId,movieId,rating,timestamp", _HOME)
_FILMS: Final = PublisherFile(("movies.csv",), "movieId,title,genres", _HOME)

_RATING: Final = (schema.USER_ID, schema.ITEM_ID, "stars", schema.TIME)
_GENRES: Final = (
    "unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime",
    "Documentary", "Drama", "Fantasy", "Film-Noir", "Horror", "Musical", "Mystery", "Romance",
    "Sci-Fi", "Thriller", "War", "Western",
)  # fmt: skip
"""Flags of u.item, in their order."""
_NOT_READ: Final = {"events": ("rating",)}
_NO_GENRE: Final = ("unknown", "(no genres listed)")


def load_100k(folder: Path) -> Tables:
    """MovieLens 100K, in the publisher's files or RecBole's.

    Raises:
        DataError: a file is missing or is not what it should be.
    """
    ratings, films, users = (
        file.need(folder) for file in (_RATINGS_100K, _FILMS_100K, _USERS_100K)
    )
    return _tables(
        "movielens-100k",
        _renamed(ratings) if _is_parquet(ratings) else _headless(ratings, _RATING, "\t"),
        _recbole_films(films) if _is_parquet(films) else _flagged_films(films),
        _recbole_users(users)
        if _is_parquet(users)
        else _headless(users, (schema.USER_ID, "age", "gender", "occupation", "zip_code"), "|"),
        {"items": films, "events": ratings, "users": users},
    )


def load_1m(folder: Path) -> Tables:
    """MovieLens 1M.

    Raises:
        DataError: a file is missing or is not what it should be.
    """
    ratings, films, users = (file.need(folder) for file in (_RATINGS_1M, _FILMS_1M, _USERS_1M))
    listed = _headless(films, (schema.ITEM_ID, schema.TITLE, schema.ATTRIBUTES), "::")
    return _tables(
        "movielens-1m",
        _headless(ratings, _RATING, "::"),
        listed.with_columns(_genres("|")),
        _headless(users, (schema.USER_ID, "gender", "age", "occupation", "zip_code"), "::"),
        {"items": films, "events": ratings, "users": users},
    )


def load(folder: Path) -> Tables:
    """MovieLens 20M, 25M, 32M, latest or latest-small.

    Raises:
        DataError: a file is missing or is not what it should be.
    """
    columns = dict(zip(("userId", "movieId", "rating", "timestamp"), _RATING, strict=True))
    rated = files.table(_RATINGS.need(folder), list(columns)).rename(columns)
    return _listed(folder).with_frames({"events": _reviews(rated)})


def _listed(folder: Path) -> Tables:
    """The films of movies.csv."""
    films = _FILMS.need(folder)
    listed = files.table(films, ["movieId", "title", "genres"])
    renamed = listed.rename({"movieId": schema.ITEM_ID, "genres": schema.ATTRIBUTES})
    return Tables(
        items=renamed.with_columns(_genres("|")),
        name="movielens",
        files={"items": films.name, "events": _RATINGS.names[0]},
        ignored=_NOT_READ,
    )


def _tables(
    name: str,
    ratings: pl.DataFrame,
    films: pl.DataFrame,
    users: pl.DataFrame | None,
    paths: dict[str, Path],
) -> Tables:
    return Tables(
        items=films,
        events=_reviews(ratings),
        users=users,
        name=name,
        files={table: path.name for table, path in paths.items()},
        ignored=_NOT_READ,
    )


def _reviews(ratings: pl.DataFrame) -> pl.DataFrame:
    kind = pl.lit(schema.EventKind.REVIEW.value).alias(schema.EVENT)
    return ratings.select(schema.USER_ID, schema.ITEM_ID, kind, schema.TIME)


def _headless(path: Path, columns: tuple[str, ...], separator: str) -> pl.DataFrame:
    return files.headless(path, columns, separator=separator, encoding="iso-8859-1")


def _is_parquet(path: Path) -> bool:
    return path.suffix == ".parquet"


def _genres(separator: str) -> pl.Expr:
    """A list of genres, of a text that has them all."""
    names = pl.col(schema.ATTRIBUTES).str.split(separator)
    return names.list.eval(pl.element().filter(~pl.element().is_in(_NO_GENRE)))


def _flagged_films(path: Path) -> pl.DataFrame:
    """Films of u.item, where each genre is a flag."""
    columns = (schema.ITEM_ID, schema.TITLE, "released", "on_video", "url", *_GENRES)
    films = _headless(path, columns, "|")
    named = [pl.when(pl.col(genre) == "1").then(pl.lit(genre)) for genre in _GENRES[1:]]
    return films.select(
        schema.ITEM_ID,
        schema.TITLE,
        pl.concat_list(named).list.drop_nulls().alias(schema.ATTRIBUTES),
    )


def _renamed(path: Path) -> pl.DataFrame:
    return files.table(path, ["user_id", "item_id", "rating", "timestamp"]).rename(
        {"timestamp": schema.TIME}
    )


def _recbole_films(path: Path) -> pl.DataFrame:
    """RecBole took the year out of the title; it goes back in, as the publisher has it."""
    films = files.table(path, ["item_id", "movie_title", "release_year", "class"])
    year = pl.concat_str(pl.lit(" ("), pl.col("release_year"), pl.lit(")"))
    is_year = pl.col("release_year").str.contains(r"^\d{4}$")
    return films.select(
        schema.ITEM_ID,
        pl.concat_str(
            pl.col("movie_title"), pl.when(is_year).then(year).otherwise(pl.lit(""))
        ).alias(schema.TITLE),
        pl.col("class").alias(schema.ATTRIBUTES),
    ).with_columns(_genres(" "))


def _recbole_users(path: Path) -> pl.DataFrame:
    return files.table(path, ["user_id", "age", "gender", "occupation", "zip_code"])


def _archive(edition: str, md5: str, *members: str) -> tuple[Remote, ...]:
    name = f"ml-{edition}.zip"
    return (Remote(f"https://files.grouplens.org/datasets/movielens/{name}", name, md5, members),)


_LICENCE: Final = "GroupLens: research use, no redistribution, no use for money without leave"
SOURCE_100K: Final = PublicSource(
    "movielens-100k",
    "MovieLens 100K: 100,000 ratings of 1,682 films, 1997-1998",
    load_100k,
    remotes=_archive("100k", "md5:0e33842e24a9c977be4e0107933c0723", "u.data", "u.item", "u.user"),
    licence=_LICENCE,
)
SOURCE_1M: Final = PublicSource(
    "movielens-1m",
    "MovieLens 1M: 1,000,209 ratings of 3,706 films, 2000-2003",
    load_1m,
    remotes=_archive(
        "1m",
        "md5:c4d9eecfca2ab87c1945afe126590906",
        *(file.names[0] for file in (_RATINGS_1M, _FILMS_1M, _USERS_1M)),
    ),
    licence=_LICENCE,
)
SOURCE: Final = PublicSource(
    "movielens",
    "MovieLens 20M, 25M, 32M or latest: ratings.csv and movies.csv",
    load,
    remotes=_archive(
        "25m", "md5:6b51fb2759a8657d3bfcbfc42b592ada", _RATINGS.names[0], _FILMS.names[0]
    ),
    licence=_LICENCE,
    log=PlainLog(
        _RATINGS,
        TableMapping(
            columns={
                schema.USER_ID: "userId",
                schema.ITEM_ID: "movieId",
                schema.TIME: "timestamp",
            },
            kind=schema.EventKind.REVIEW.value,
        ),
        _listed,
    ),
)
