"""The routes of OpenAI's Responses API."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from llamero.gateway.description.fields import Count, ModelName, Object, Stream, Temperature, TopP
from llamero.gateway.description.operations import SERVER_SENT_EVENTS, Operation, Parameter
from llamero.models.responses import ItemPage, Response

ID = Parameter("id", "The response's id.", "resp_ID")
EVENTS = (SERVER_SENT_EVENTS, "The events of the Responses API, from `response.created` to `response.completed`.")


class ResponsesRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What to answer, and how. Web search, files and stored prompts are refused by name."""

    model: ModelName
    input: Annotated[str | list[Object], Meta(description="A text, or the items of a conversation.")]
    instructions: str | None = None
    previous_response_id: Annotated[str, Meta(description="Go on from this response.")] | None = None
    store: Annotated[bool, Meta(description="Keep the response, for the next turn. The default.")] | None = None
    background: Annotated[bool, Meta(description="Answer at once; ask for the response later.")] | None = None
    stream: Stream | None = None
    max_output_tokens: Count | None = None
    temperature: Temperature | None = None
    top_p: TopP | None = None
    tools: list[Object] | None = None
    tool_choice: str | Object | None = None
    text: Object | None = None
    reasoning: Object | None = None
    metadata: dict[str, str] | None = None


class DeletedResponse(msgspec.Struct, frozen=True, kw_only=True):
    """That a response is forgotten."""

    id: str
    object: Literal["response"]
    deleted: bool


OPERATIONS = (
    Operation(
        route="POST /v1/responses",
        summary="Answer, and remember the conversation",
        request=ResponsesRequest,
        response=Response,
        example={"model": "demo", "input": "Hello"},
        events=EVENTS,
    ),
    Operation(
        route="GET /v1/responses/{id}",
        summary="A response that was kept",
        response=Response,
        parameters=(
            ID,
            Parameter("stream", "`true` tells it as events once more.", "false", "query"),
            Parameter("starting_after", "The number of the last event that you have.", "0", "query"),
        ),
        events=EVENTS,
    ),
    Operation(
        route="DELETE /v1/responses/{id}", summary="Forget a response", response=DeletedResponse, parameters=(ID,)
    ),
    Operation(
        route="POST /v1/responses/{id}/cancel",
        summary="End a response in the background",
        response=Response,
        parameters=(ID,),
    ),
    Operation(
        route="GET /v1/responses/{id}/input_items",
        summary="What was put in, page by page",
        response=ItemPage,
        parameters=(
            ID,
            Parameter("limit", "How many, from 1 to 100.", "20", "query"),
            Parameter("order", "`asc` or `desc`.", "desc", "query"),
            Parameter("after", "The id behind which the page begins.", "", "query"),
        ),
    ),
)
