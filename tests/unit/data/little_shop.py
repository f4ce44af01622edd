"""A shop small enough to read, for the tests of this folder."""

from pathlib import Path

ITEMS = """item_id,title,price
a,Oak Table,120
b,Wool Rug,80
c,Desk Lamp,35
"""
EVENTS = """user_id,item_id,event,time
u1,a,view,2025-03-01T10:00:00Z
u1,b,cart,2025-03-01T10:05:00Z
u2,c,purchase,2025-03-02
u2,a,view,2025-03-03 08:00:00
u1,c,purchase,2025-03-04T09:00:00+02:00
"""
JUDGMENTS = """query,item_id,grade
table,a,E
table,c,I
lamp,c,E
rug,b,E
"""


def shop(folder: Path, **tables: str | bytes | None) -> Path:
    """Items and events; `judgments=...` adds a table, `events=None` takes one away."""
    files: dict[str, str | bytes | None] = {"items": ITEMS, "events": EVENTS} | tables
    for name, content in files.items():
        if content is not None:
            data = content.encode() if isinstance(content, str) else content
            (folder / (name if "." in name else f"{name}.csv")).write_bytes(data)
    return folder
