"""Commands about requests: to look at them, send one again, and choose what is kept of them."""

from __future__ import annotations

from llamero.bridge.context import Context
from llamero.bridge.registry import command
from llamero.models.inspector import (
    InspectorState,
    ListRequests,
    RenderedPrompt,
    RequestDetails,
    RequestList,
    RequestRef,
    RequestSummary,
    SetInspector,
    WatchRequests,
)

# Under which the preferences keep a person's choice.
INSPECTOR_STATE = "inspector"


@command("list_requests")
async def list_requests(context: Context, arguments: ListRequests) -> RequestList:
    """The requests that are wanted, the newest first."""
    return await context.services.inspector.find(arguments)


@command("get_request")
async def get_request(context: Context, arguments: RequestRef) -> RequestDetails:
    """Everything about one request. Raises NotFound."""
    return context.services.inspector.details(arguments.id)


@command("render_prompt")
async def render_prompt(context: Context, arguments: RequestRef) -> RenderedPrompt:
    """The prompt that the model's template makes of it. Raises NotFound, Conflict, and what asking the model raises."""
    return await context.services.inspector.render_prompt(arguments.id)


@command("replay_request")
async def replay_request(context: Context, arguments: RequestRef) -> RequestSummary:
    """Send it once more; the new request as it begins. Raises NotFound, Conflict or Unavailable."""
    return await context.services.inspector.replay(arguments.id)


@command("clear_requests")
async def clear_requests(context: Context) -> None:
    """Forget every request that has ended."""
    context.services.inspector.clear()


@command("set_inspector")
async def set_inspector(context: Context, arguments: SetInspector) -> InspectorState:
    """Keep what requests say or not, now and after the next start. Raises Conflict where the settings forbid it."""
    context.services.inspector.keep_content(arguments.content)
    state = InspectorState(content=arguments.content)
    await context.services.preferences.set_value(INSPECTOR_STATE, state)
    return state


@command("watch_requests")
async def watch_requests(context: Context, arguments: WatchRequests) -> None:
    """Look at requests, or stop looking. Ends with the page."""
    context.services.requests_push.watch(context.caller.own_window(), arguments.watching)
