"""What the shop wants in its lists: /v1/rules, and a preview of one."""

from fastapi import APIRouter

from twotower.server.context import IdInPath, ReleasesHere, RequestId, Shop
from twotower.server.keyed_route import KeyedRoute, needs
from twotower.server.rule_answers import preview_reply, rule_reply, rules_reply
from twotower.server.rule_shapes import (
    DeletedRuleReply,
    RuleIn,
    RulePreviewReply,
    RulePreviewRequest,
    RuleReply,
    RulesReply,
)

router = APIRouter(tags=["rules"], route_class=KeyedRoute)


@router.get("/v1/rules", openapi_extra=needs("admin"))
def rules(here: ReleasesHere, request_id: RequestId) -> RulesReply:
    """Lists the rules, whether they hold now or not."""
    return rules_reply(here.rulebook.rules, request_id)


@router.get("/v1/rules/{rule_id:path}", openapi_extra=needs("admin"))
def rule(rule_id: IdInPath, shop: Shop, request_id: RequestId) -> RuleReply:
    """Gives a rule."""
    return rule_reply(shop, shop.rulebook.rule(rule_id), request_id)


@router.put("/v1/rules/{rule_id:path}", openapi_extra=needs("admin"))
def put_rule(rule_id: IdInPath, body: RuleIn, shop: Shop, request_id: RequestId) -> RuleReply:
    """Adds or replaces a rule; the next list follows it, those of other servers soon."""
    stored = shop.rulebook.put(rule_id, body.model_dump())
    return rule_reply(shop, stored, request_id)


@router.delete("/v1/rules/{rule_id:path}", openapi_extra=needs("admin"))
def delete_rule(rule_id: IdInPath, here: ReleasesHere, request_id: RequestId) -> DeletedRuleReply:
    """Takes a rule away."""
    here.rulebook.delete(rule_id)
    return DeletedRuleReply(request_id=request_id, rule_id=rule_id)


@router.post("/v1/rules:preview", openapi_extra=needs("admin"))
def preview_rule(asked: RulePreviewRequest, shop: Shop, request_id: RequestId) -> RulePreviewReply:
    """Makes a list without a rule and with it, and stores nothing."""
    return preview_reply(shop, asked, request_id)
