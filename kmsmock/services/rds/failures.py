"""Explanations of failed databases and snapshots, which ``kms.rds.why`` returns."""

from __future__ import annotations

from dataclasses import dataclass, field

from kmsmock.state.backend import Backend


@dataclass(slots=True)
class Failures:
    """The failures of one mock: ARN -> explanation."""

    by_arn: dict[str, str] = field(default_factory=dict)


def failures_of(backend: Backend) -> dict[str, str]:
    """Return the failures of a mock, which may be changed: ARN -> explanation."""
    return backend.service_state(Failures).by_arn
