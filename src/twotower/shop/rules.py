"""What the shop wants in its lists, kept for every server on the database."""

import json
import time
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import delete, func, select, update

from twotower.errors import RetrievalError, UnknownRule
from twotower.shop.records import StoredRule
from twotower.shop.tables import rules
from twotower.shop.transactions import Transactions

MOST: Final = 1_000
"""Rules of one shop: every list looks at all of them."""
_NS_PER_MS: Final = 1_000_000


class Rules:
    """The rules of one database; safe to share between threads and processes.

    Args:
        transactions: Of the open database.
    """

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def put(self, rule_id: str, body: Mapping[str, Any]) -> None:
        """Stores a rule, on disk when this returns; one of the same id is replaced.

        Args:
            rule_id: Names it.
            body: Its fields, as JSON holds them.

        Raises:
            RetrievalError: There are too many already.
            StorageUnavailable: It cannot be written; the rules are as they were.
        """
        text, now = json.dumps(body, ensure_ascii=False), time.time_ns() // _NS_PER_MS
        again = update(rules).where(rules.c.rule_id == rule_id).values(body=text, updated=now)
        with self._transactions.writing() as connection:
            if connection.execute(again).rowcount:
                return
            there = connection.execute(select(func.count()).select_from(rules)).scalar_one()
            if there >= MOST:
                raise RetrievalError(f"a shop may have {MOST} rules; delete one that is over")
            connection.execute(rules.insert().values(rule_id=rule_id, body=text, updated=now))

    def delete(self, rule_id: str) -> None:
        """Takes a rule away, on disk when this returns.

        Args:
            rule_id: Of `all`.

        Raises:
            UnknownRule: There is no such rule.
            StorageUnavailable: It cannot be written; the rules are as they were.
        """
        with self._transactions.writing() as connection:
            if not connection.execute(delete(rules).where(rules.c.rule_id == rule_id)).rowcount:
                raise UnknownRule(f"rule_id must be that of a rule, got {rule_id!r}: list them")

    def all(self) -> list[StoredRule]:
        """Reads every rule, by id; raises `StorageUnavailable`."""
        every = select(rules).order_by(rules.c.rule_id)
        with self._transactions.reading() as connection:
            rows = connection.execute(every).mappings().all()
        return [StoredRule(row["rule_id"], json.loads(row["body"]), row["updated"]) for row in rows]
