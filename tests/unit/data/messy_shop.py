"""A shop whose log has all that rules look for, and how two ways of preparing it compare."""

import json
import random
from dataclasses import replace

from little_shop import ITEMS, shop

from twotower.data.config import PrepareConfig
from twotower.data.dataset import Dataset
from twotower.data.streaming.prepare import large_log, prepare

KINDS = ["view", "Add to cart", "bought", "refund", "search", "ignored"]
SHOP_TOML = '[events.kinds]\nignored = "ignore"\n'


def messy_log(seed, n=600, busy=900):
    """Events with everything that a rule looks for, in no order."""
    draw = random.Random(seed)  # noqa: S311 - no secret
    lines = ["user_id,item_id,event,time,session,query"]
    for _ in range(n):
        user = draw.choice(["", "test-user", *(f"u{n}" for n in range(25))])
        item = draw.choice(["", "gone", "a", "b", "c", "p"])
        time = draw.choice(
            ["", "2999-01-01", *(f"2025-03-{day:02}T10:00:00Z" for day in range(1, 25))]
        )
        kind = draw.choice(KINDS)
        query = "wool rug" if kind == "search" else ""
        lines.append(f"{user},{item},{kind},{time},s{draw.randrange(40)},{query}")
        if draw.random() < 0.1:
            lines.append(lines[-1])
    lines += [f"busy,{draw.choice('abc')},view,2025-03-{n % 24 + 1:02},s9,{n}" for n in range(busy)]
    return "\n".join(lines) + "\n"


def messy_shop(folder, seed=0, **tables):
    folder.mkdir(exist_ok=True)
    items = ITEMS + "p,Postage,3\nd,Oak table,120\n"
    judgments = "query,item_id,grade\ntable,a,E\ntable,d,I\nlamp,c,E\nrug,b,E\n"
    shop(folder, items=items, judgments=judgments, **{"events": messy_log(seed)} | tables)
    (folder / "shop.toml").write_text(SHOP_TOML)
    return folder


def folder(parent):
    (parent / "shop").mkdir()
    return parent / "shop"


def in_parts(source, out, config=None, batch_rows=397, part_rows=500, **how):
    log = large_log(source, config or PrepareConfig(), smallest=0)
    log = replace(log, batch_rows=batch_rows)
    return prepare(log, config or PrepareConfig(), out, part_rows=part_rows, **how)


def assert_same(whole, summary, folder):
    """The tables, their hash, what is said of them, and what every rule did."""
    loaded = Dataset.load(folder)
    assert summary.content_hash == loaded.content_hash == whole.content_hash
    assert {name: frame.equals(whole.tables[name]) for name, frame in loaded.tables.items()} == (
        dict.fromkeys(whole.tables, True)
    )
    assert summary.counts == whole.counts
    assert loaded.about == whole.about
    told, expected = (json.loads(json.dumps(p)) for p in (loaded.profile, whole.profile))
    by_name = [
        sorted(profile.pop("cleaning"), key=lambda rule: (rule["table"], rule["name"]))
        for profile in (told, expected)
    ]
    assert by_name[0] == by_name[1]
    assert told == expected
