"""The routes of the control plane: each is a function of the control object ``kms``.

The parameters of a function are the members of the JSON body, or the parameters of the query.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from kmsmock.misuse.suggestions import suggest
from kmsmock.remote.objects import ServedObjects

if TYPE_CHECKING:
    from kmsmock.control import KMSMock
    from kmsmock.ledger.call_record import Call
    from kmsmock.state.checkpoints import Checkpoint
    from kmsmock.state.fault import Fault

_V1 = "/v1"
#: The name of a parameter that is the whole body.
WHOLE_BODY = "body"
#: How many checkpoints there can be.
_CHECKPOINTS = 100
#: How many calls or records a response has by default.
_LIMIT = "100"
#: The methods of ``kms.faults`` that arm a fault.
_FAULTS = (
    *("throttle", "fail", "quota", "delay", "drop_connection", "timeout", "corrupt_response"),
    "eventual_consistency",
)


class Control:
    """What the routes work with: a mock, and the checkpoints that were made, by name.

    is_strict: whether requests need access keys of the mock.
    """

    def __init__(self, kms: KMSMock, *, is_strict: bool = False) -> None:
        self.kms = kms
        self.checkpoints: dict[str, Checkpoint] = {}
        self.objects = ServedObjects(kms, is_strict=is_strict)


class Route(NamedTuple):
    """A route. answer: raises ValueError and the like for what the caller has done wrong."""

    method: str
    path: str
    answer: Callable[..., Any]


ROUTES: list[Route] = []


def _route(method: str, path: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def declare(answer: Callable[..., Any]) -> Callable[..., Any]:
        ROUTES.append(Route(method, path, answer))
        return answer

    return declare


@_route("GET", "/health")
def get_health(control: Control) -> Any:  # noqa: ARG001 - all routes have it
    """Return that the process answers."""
    return {"status": "ok"}


@_route("GET", "/ready")
def get_ready(control: Control) -> Any:
    """Return that the mock answers, with its account and Region, and the versions of the routes."""
    options, backend = control.kms.options, control.kms.backend
    return {
        "status": "ready",
        "account_id": options["account_id"],
        "region": backend.default_region,
        "versions": [_V1.strip("/")],
    }


# --- state --------------------------------------------------------------------------------------


@_route("POST", f"{_V1}/reset")
def reset(control: Control) -> Any:
    """Restore the initial state."""
    control.kms.reset()
    return {}


@_route("POST", f"{_V1}/checkpoint")
def make_checkpoint(control: Control, name: str = "default") -> Any:
    """Save the state under a name, instead of what was saved under it before."""
    _require_text("name", name)
    if name not in control.checkpoints and len(control.checkpoints) >= _CHECKPOINTS:
        raise ValueError(f"there are {_CHECKPOINTS} checkpoints already: use one of their names")
    control.checkpoints[name] = control.kms.checkpoint()
    return {"name": name}


@_route("POST", f"{_V1}/restore")
def restore(control: Control, name: str = "default") -> Any:
    """Restore the state that was saved under a name."""
    _require_text("name", name)
    checkpoint = control.checkpoints.get(name)
    if checkpoint is None:
        known = suggest(name, control.checkpoints, "there are") if control.checkpoints else ""
        raise ValueError(f"there is no checkpoint {name!r}{known}")
    control.kms.restore(checkpoint)
    return {"name": name}


@_route("GET", f"{_V1}/world")
def export_world(control: Control, material: str = "false") -> Any:
    """Return the state as a world; material: ``true`` for one with key material and secrets."""
    from kmsmock.aws.secret_values import reveal_secrets
    from kmsmock.worlds.world import write_world

    if material not in ("true", "false"):
        raise ValueError(f"material must be true or false, not {material!r}")
    return reveal_secrets(write_world(control.kms.backend, secrets=material == "true"))


@_route("POST", f"{_V1}/world")
def load_world(control: Control, body: Mapping[str, Any]) -> Any:
    """Add a world to the state, all of it or nothing."""
    control.kms.load(body)
    return {"keys": len(control.kms.keys)}


@_route("GET", f"{_V1}/clock")
def get_clock(control: Control) -> Any:
    """Return the time on the mock's clock."""
    return {"now": control.kms.clock.now()}


@_route("POST", f"{_V1}/clock")
def move_clock(control: Control, advance_seconds: Any = None, move_to: Any = None) -> Any:
    """Move the clock forward, by a number of seconds or to a time."""
    from datetime import datetime

    if (advance_seconds is None) == (move_to is None):
        raise ValueError("one of advance_seconds and move_to is required")
    if move_to is None:
        control.kms.clock.advance(seconds=advance_seconds)
    else:
        _require_text("move_to", move_to)
        control.kms.clock.move_to(datetime.fromisoformat(move_to.replace("Z", "+00:00")))
    return get_clock(control)


# --- faults -------------------------------------------------------------------------------------


@_route("GET", f"{_V1}/faults")
def list_faults(control: Control) -> Any:
    """Return the armed faults, and how many calls each has hit."""
    return {"faults": [_describe_fault(fault) for fault in control.kms.backend.faults.armed]}


def _describe_fault(fault: Fault) -> dict[str, Any]:
    return {
        "fault": fault.effect.name,
        "operation": fault.calls.operation or "*",
        "times": fault.times,
        "fired": fault.fired,
    }


@_route("POST", f"{_V1}/faults")
def arm_fault(control: Control, body: Mapping[str, Any]) -> Any:
    """Arm a fault. body: ``fault``, a method of ``kms.faults``, and its arguments."""
    arguments = dict(body)
    method = arguments.pop("fault", None)
    if method not in _FAULTS:
        raise ValueError(
            f"there is no fault {method!r}{suggest(str(method), _FAULTS, 'there are')}"
        )
    if "optional" in arguments:
        raise ValueError("a fault of a server takes no 'optional': nothing requires that it fires")
    content = arguments.get("body")
    if content is not None:
        _require_text("body", content)
        arguments["body"] = content.encode()
    return _describe_fault(getattr(control.kms.faults, method)(**arguments))


@_route("DELETE", f"{_V1}/faults")
def clear_faults(control: Control) -> Any:
    """Disarm all faults."""
    control.kms.faults.clear()
    return {}


# --- records ------------------------------------------------------------------------------------


@_route("GET", f"{_V1}/calls")
def list_calls(
    control: Control,
    operation: str | None = None,
    caller: str | None = None,
    key: str | None = None,
    error_code: str | None = None,
    request_id: str | None = None,
    limit: str = _LIMIT,
) -> Any:
    """Return the newest calls, the newest last, and how many were made."""
    members = {
        "caller": caller,
        "key": key,
        "error_code": error_code,
        "request_id": request_id,
    }
    named = {name: value for name, value in members.items() if value is not None}
    calls = control.kms.calls.filter(operation, **named)
    return {
        "made": calls.made,
        "calls": [_describe(call) for call in calls[-_read_limit(limit) :]],
    }


def _describe(call: Call) -> dict[str, Any]:
    described = {
        name: getattr(call, name)
        for name in (
            *("operation", "at", "caller", "account", "region", "key_arn", "key_spec", "alias"),
            *("grant_id", "via_service", "dry_run", "allowed", "error_code", "price", "request_id"),
        )
    }
    failure = call.failure
    context = call.encryption_context
    return {
        **described,
        "encryption_context": None if context is None else dict(context),
        "error_message": None if failure is None else failure.message,
        "explanation": call.explanation,
    }


@_route("GET", f"{_V1}/trail")
def list_trail(control: Control, limit: str = _LIMIT) -> Any:
    """Return the newest CloudTrail records, the newest last."""
    return {"Records": control.kms.trail[-_read_limit(limit) :]}


@_route("GET", f"{_V1}/costs")
def get_costs(control: Control) -> Any:
    """Return what the calls and keys would have cost on AWS, in USD."""
    costs = control.kms.costs
    return {
        "requests": costs.requests,
        "total": costs.total,
        "storage": costs.storage,
        "is_estimate": costs.is_estimate,
        "by_operation": {
            name: {"requests": int(count), "cost": count.usd}
            for name, count in costs.by_operation().items()
        },
    }


@_route("POST", f"{_V1}/object")
def use_object(control: Control, body: Mapping[str, Any]) -> Any:
    """Answer a message of `kmsmock.connect`."""
    return control.objects.answer(body)


@_route("POST", f"{_V1}/explain")
def explain(  # noqa: PLR0913, PLR0917 - the arguments of kms.explain
    control: Control,
    principal: Any = None,
    action: Any = None,
    key: Any = None,
    region: Any = None,
    encryption_context: Any = None,
    via_service: Any = None,
    context: Any = None,
    parameters: Any = None,
) -> Any:
    """Evaluate whether a principal is allowed an action, as ``kms.explain`` does."""
    for name, value in (("principal", principal), ("action", action)):
        _require_text(name, value)
    decision = control.kms.explain(
        principal,
        action,
        key,
        region=region,
        encryption_context=encryption_context,
        via_service=via_service,
        context=context,
        parameters=parameters,
    )
    return {
        "allowed": decision.allowed,
        "reason": decision.reason,
        "explanation": str(decision),
    }


def _read_limit(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ValueError(f"limit must be a number above 0, not {text!r}")
    return int(text)


def _require_text(name: str, value: Any) -> None:
    if not isinstance(value, str) or not value:
        raise TypeError(f"{name} must be a text, not {value!r}")
