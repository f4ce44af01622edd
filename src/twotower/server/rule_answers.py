"""The shop's rules in the shapes of the HTTP interface, and lists to try them on."""

from collections.abc import Sequence
from dataclasses import asdict, replace

from twotower import schema
from twotower.retrieval.answers import Answer
from twotower.retrieval.rules import Rule
from twotower.server.answers import found_by
from twotower.server.live_shop import LiveShop
from twotower.server.placements import placed
from twotower.server.rule_shapes import (
    PreviewHit,
    RulePreviewReply,
    RulePreviewRequest,
    RuleReply,
    RulesReply,
    StoredRule,
)
from twotower.server.rulebook import as_rule


def rules_reply(rules: Sequence[Rule], request_id: str) -> RulesReply:
    """Shows the shop's rules.

    Args:
        rules: Of the shop.
        request_id: Of this request.

    Returns:
        All of them.
    """
    return RulesReply(request_id=request_id, rules=[_shown(rule) for rule in rules])


def rule_reply(shop: LiveShop, rule: Rule, request_id: str) -> RuleReply:
    """Shows a rule, and how many products it names.

    Args:
        shop: The open shop.
        rule: Of the shop.
        request_id: Of this request.

    Returns:
        The rule.
    """
    n_products = shop.retriever.n_named(rule)
    return RuleReply(request_id=request_id, rule=_shown(rule), n_products=n_products)


def preview_reply(shop: LiveShop, asked: RulePreviewRequest, request_id: str) -> RulePreviewReply:
    """Makes a list without a rule and with it; nothing is stored.

    Args:
        shop: The open shop.
        asked: The rule and the list.
        request_id: Of this request.

    Returns:
        Both lists.

    Raises:
        RetrievalError: It is no rule, or the list cannot be made.
    """
    rule = as_rule(asked.rule_id, asked.rule.model_dump())
    others = [one for one in shop.rulebook.rules if one.rule_id != asked.rule_id]
    before, after = (
        _list(shop, asked, rules)
        for rules in (others, [*others, replace(rule, starts=None, ends=None)])
    )
    return RulePreviewReply(
        request_id=request_id,
        n_products=shop.retriever.n_named(rule),
        total_before=before.total,
        before=_hits(before),
        total_after=after.total,
        after=_hits(after),
    )


def _list(shop: LiveShop, asked: RulePreviewRequest, rules: Sequence[Rule]) -> Answer:
    if asked.search is not None:
        return found_by(shop, asked.search, rules)
    assert asked.recommendation is not None
    return placed(shop, asked.recommendation, rules)


def _hits(answer: Answer) -> list[PreviewHit]:
    return [
        PreviewHit(
            rank=hit.rank,
            item_id=hit.item_id,
            title=hit.item[schema.TITLE],
            score=hit.score,
            pinned_by=hit.pinned_by,
        )
        for hit in answer.hits
    ]


def _shown(rule: Rule) -> StoredRule:
    lists = {"item_ids": list(rule.item_ids), "places": list(rule.places)}
    return StoredRule.model_validate({**asdict(rule), **lists})
