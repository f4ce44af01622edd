"""Serves the little shop of the fake retriever: serve_fake.py PORT DATABASE [fail]."""

import sys
import time

from fake_retriever import FakeRetriever
from rich.console import Console

from twotower.errors import TwoTowerError
from twotower.server.app import create_app
from twotower.server.run import serve_app
from twotower.server.settings import ServerSettings
from twotower.shop.database import ShopDatabase


class Slow(FakeRetriever):
    def search(self, query, **arguments):
        if query == "slowly":
            sys.stdout.write("answering slowly\n")
            sys.stdout.flush()
            time.sleep(0.5)
        if "fail" in sys.argv:
            raise RuntimeError("cannot warm up")
        return super().search(query, **arguments)


def main():
    settings = ServerSettings(port=int(sys.argv[1]))
    try:
        serve_app(
            lambda: create_app(Slow(), ShopDatabase(sys.argv[2]), settings),
            console=Console(file=sys.stdout),
            settings=settings,
        )
    except TwoTowerError as error:
        sys.stdout.write(f"error: {error}\n")
        sys.exit(1)


if __name__ == "__main__":
    main()
