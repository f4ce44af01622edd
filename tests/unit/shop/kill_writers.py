"""Starts a writer again and again, kills it with SIGKILL, and prints what it had acknowledged.

Run as a program: kill_writers.py ADDRESS KILLS. The last line of output is JSON: the events'
ids, and of each life the last step of its product that was acknowledged.
"""

import itertools
import json
import os
import random
import signal
import sys
import time

from twotower.shop.database import ShopDatabase
from twotower.shop.records import LiveEvent


def change_product(products, run, step):
    """Every fifth step deletes the product of this run, the others set it to their number."""
    if step % 5 == 4:
        products.delete(f"product-{run}")
    else:
        products.upsert(f"product-{run}", {"title": "T", "price": step})


def write_for_ever(address, run, acknowledge):
    database = ShopDatabase(address)
    os.write(acknowledge, b"open\n")
    for step in range(1_000_000):
        batch = [
            LiveEvent(f"{run}-{step}-{place}", "v", "kettle", "view", time=step, received=step)
            for place in range(step % 3 + 1)
        ]
        accepted = database.events.add(batch).accepted
        os.write(acknowledge, ("\n".join(accepted) + "\n").encode())
        change_product(database.products, run, step)
        os.write(acknowledge, f"product {step}\n".encode())


def one_life(address, run, n_told, pause_s):
    """Lives until it has told of so much, and a moment longer."""
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read_end)
        write_for_ever(address, run, write_end)
    os.close(write_end)
    with os.fdopen(read_end) as acknowledged:
        told = list(itertools.islice(acknowledged, n_told))
        time.sleep(pause_s)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        lines = [line.strip() for line in (*told, *acknowledged)]
        return [line for line in lines if line != "open"]


def main():
    address, kills = sys.argv[1], int(sys.argv[2])
    moments = random.Random(5)  # noqa: S311 - the same moments every time
    lives = [
        one_life(address, run, moments.randrange(24), moments.uniform(0.0, 0.01))
        if run % 4
        else one_life(address, run, 0, moments.uniform(0.0, 0.2))  # while it opens the database
        for run in range(kills)
    ]
    told = [line for life in lives for line in life if not line.startswith("product ")]
    steps = {
        run: max((int(line.split()[1]) for line in life if line.startswith("product ")), default=-1)
        for run, life in enumerate(lives)
    }
    sys.stdout.write(json.dumps({"events": told, "steps": steps}))


if __name__ == "__main__":
    main()
