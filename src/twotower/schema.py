"""Column names, event kinds, splits and grades: each spelled once.

`item_id` is the shop's string, `item_row` our integer: row i of `items.parquet`
is item_row i everywhere. Times are UTC milliseconds since 1970 (`time`, int64).
"""

from enum import StrEnum
from typing import Final

# -- items: one row per product ------------------------------------------------
ITEM_ID: Final = "item_id"
ITEM_ROW: Final = "item_row"
TITLE: Final = "title"
DESCRIPTION: Final = "description"
BRAND: Final = "brand"
CATEGORY: Final = "category"
"""A path from the widest to the narrowest level, joined by `CATEGORY_SEPARATOR`."""
PRICE: Final = "price"
RATING: Final = "rating"
ATTRIBUTES: Final = "attributes"
"""A list of strings, such as colour or material."""
IN_STOCK: Final = "in_stock"
LAUNCHED: Final = "launched"
"""When the item came on sale, UTC milliseconds."""
IMAGE: Final = "image"
"""A URL, a path, or a `data:` URI."""
CATEGORY_SEPARATOR: Final = " > "

# -- events: one row per thing that happened ------------------------------------
USER_ID: Final = "user_id"
EVENT: Final = "event"
TIME: Final = "time"
ORDER: Final = "order"
"""Position in the user's own history, for logs without a clock."""
SESSION_ID: Final = "session_id"
QUERY: Final = "query"

# -- judgments: one row per judged pair -----------------------------------------
GRADE: Final = "grade"
GAIN: Final = "gain"
POSITIVE: Final = "positive"

SPLIT: Final = "split"


class EventKind(StrEnum):
    """What a visitor did with an item, weakest first."""

    VIEW = "view"
    CART = "cart"
    PURCHASE = "purchase"
    REVIEW = "review"


EVENT_KINDS: Final = tuple(EventKind)
KIND_CODE: Final = {kind.value: code for code, kind in enumerate(EVENT_KINDS, start=1)}
"""Integer code of each kind in arrays; 0 is padding."""

IMPRESSION: Final = "impression"
"""The event of a product that was seen in a list; it is in nobody's history."""
SEARCH: Final = "search"
"""The event of a typed query: it has a query and no item."""


class Split(StrEnum):
    """Which part of the data a row belongs to."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


ESCI_GAINS: Final = {"E": 1.0, "S": 0.1, "C": 0.01, "I": 0.0}
"""Gains of Exact, Substitute, Complement, Irrelevant (ESCI paper, section 4)."""

PAD: Final = -1
"""Fills unfilled places of item rows in hits and padded histories."""
