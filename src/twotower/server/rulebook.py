"""The shop's rules that this process knows."""

import logging
import threading
from collections.abc import Mapping
from typing import Any

from twotower.errors import RetrievalError, UnknownRule
from twotower.retrieval.rules import Rule
from twotower.server.following import Follower
from twotower.shop.records import StoredRule
from twotower.shop.rules import Rules

_log = logging.getLogger(__name__)


class Rulebook:
    """Rules of the database; what other processes change is known within an interval.

    Args:
        stored: Of the database.
    """

    def __init__(self, stored: Rules) -> None:
        self._stored = stored
        self._rules: dict[str, Rule] = {}
        self._rows: dict[str, StoredRule] = {}
        self._refreshing = threading.Lock()
        self._follower = Follower("rulebook", "rules", self.refresh)
        self.refresh()

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Every rule, by id, whether it holds now or not."""
        return tuple(self._rules.values())

    def refresh(self) -> None:
        """Reads the rules of the database; raises `StorageUnavailable`, and knows the old ones.

        What was read first is never known last, whichever threads refresh. A rule that another
        version wrote and this one cannot read is passed over, and told of once.
        """
        with self._refreshing:
            rows = {row.rule_id: row for row in self._stored.all()}
            found = {rule_id: self._rule_of(row) for rule_id, row in rows.items()}
            self._rules = {rule_id: rule for rule_id, rule in found.items() if rule is not None}
            self._rows = rows

    def _rule_of(self, row: StoredRule) -> Rule | None:
        """The rule of a row, read only where the row is new; None where it cannot be read."""
        if self._rows.get(row.rule_id) == row:
            return self._rules.get(row.rule_id)
        try:
            return as_rule(row.rule_id, row.body)
        except (RetrievalError, TypeError) as error:
            _log.error("rule %s is passed over: %s", row.rule_id, error)
            return None

    def follow(self, interval_s: float) -> None:
        """Refreshes again and again, in the background, until `stop`."""
        self._follower.start(interval_s)

    def stop(self) -> None:
        """Ends following."""
        self._follower.stop()

    def rule(self, rule_id: str) -> Rule:
        """Gives one rule.

        Args:
            rule_id: Of `rules`.

        Returns:
            The rule.

        Raises:
            UnknownRule: There is no such rule.
        """
        rule = self._rules.get(rule_id)
        if rule is None:
            raise UnknownRule(f"rule_id must be that of a rule, got {rule_id!r}: list them")
        return rule

    def put(self, rule_id: str, body: Mapping[str, Any]) -> Rule:
        """Stores a rule; lists follow it when this returns.

        Args:
            rule_id: Names it; one of the same id is replaced.
            body: The fields of `Rule` beside the id.

        Returns:
            The rule.

        Raises:
            RetrievalError: It is no rule, or one too many; nothing was stored.
            StorageUnavailable: It cannot be written.
        """
        rule = as_rule(rule_id, body)
        self._stored.put(rule_id, body)
        self.refresh()
        return rule

    def delete(self, rule_id: str) -> None:
        """Takes a rule away; no list follows it when this returns.

        Args:
            rule_id: Of `rules`.

        Raises:
            UnknownRule: There is no such rule.
            StorageUnavailable: It cannot be written.
        """
        self._stored.delete(rule_id)
        self.refresh()


def as_rule(rule_id: str, body: Mapping[str, Any]) -> Rule:
    """Reads a rule from its fields as JSON holds them.

    Args:
        rule_id: Names it.
        body: The fields of `Rule` beside the id.

    Returns:
        The rule.

    Raises:
        RetrievalError: It is no rule.
    """
    lists = {name: tuple(body[name]) for name in ("item_ids", "places") if name in body}
    return Rule(rule_id=rule_id, **{**body, **lists})
