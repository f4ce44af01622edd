"""Starts a writer again and again, kills it with SIGKILL, and prints what it had acknowledged.

Run as a program: kill_writers.py FILE KILLS. The last line of output is JSON.
"""

import json
import os
import random
import signal
import sys
import time

from twotower.shop.database import ShopDatabase
from twotower.shop.records import LiveEvent


def write_for_ever(where, run, acknowledge):
    database = ShopDatabase(where)
    for step in range(1_000_000):
        batch = [
            LiveEvent(f"{run}-{step}-{place}", "v", "kettle", "view", time=step, received=step)
            for place in range(step % 3 + 1)
        ]
        accepted = database.add_events(batch).accepted
        os.write(acknowledge, ("\n".join(accepted) + "\n").encode())


def one_life(where, run, lifetime_s):
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read_end)
        write_for_ever(where, run, write_end)
    os.close(write_end)
    time.sleep(lifetime_s)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with os.fdopen(read_end) as acknowledged:
        return acknowledged.read().split()


def main():
    where, kills = sys.argv[1], int(sys.argv[2])
    moments = random.Random(5)  # noqa: S311 - the same moments every time
    told = [one_life(where, run, moments.uniform(0.005, 0.08)) for run in range(kills)]
    sys.stdout.write(json.dumps([event_id for life in told for event_id in life]))


if __name__ == "__main__":
    main()
