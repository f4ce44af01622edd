"""Several questions in one request: each is answered, or refused, by itself."""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from twotower.errors import TwoTowerError
from twotower.server.answers import recommendation_reply, search_reply
from twotower.server.live_shop import LiveShop
from twotower.server.problems import ProblemError, named, problem_body
from twotower.server.replies import (
    Problem,
    RecommendationBatchReply,
    RecommendationVerdict,
    SearchBatchReply,
    SearchVerdict,
)
from twotower.server.request_ids import new_request_id
from twotower.server.requests import RecommendationBatch, SearchBatch

_Reply = TypeVar("_Reply")


def searches_reply(shop: LiveShop, batch: SearchBatch, request_id: str) -> SearchBatchReply:
    """Answers searches, each with a `request_id` of its own for the events that follow it."""
    answers = []
    for one in batch.searches:
        answer, problem = _answered(partial(search_reply, shop, one))
        answers.append(SearchVerdict(answer=answer, problem=problem))
    return SearchBatchReply(request_id=request_id, answers=answers)


def recommendations_reply(
    shop: LiveShop, batch: RecommendationBatch, request_id: str
) -> RecommendationBatchReply:
    """Answers requests for recommendations, each with a `request_id` of its own."""
    answers = []
    for one in batch.recommendations:
        answer, problem = _answered(partial(recommendation_reply, shop, one))
        answers.append(RecommendationVerdict(answer=answer, problem=problem))
    return RecommendationBatchReply(request_id=request_id, answers=answers)


def _answered(ask: Callable[[str], _Reply]) -> tuple[_Reply | None, Problem | None]:
    request_id = new_request_id()
    try:
        return ask(request_id), None
    except ProblemError as error:
        problem = error
    except TwoTowerError as error:
        problem = named(error, "body")
    return None, Problem.model_validate(problem_body(problem, request_id))
