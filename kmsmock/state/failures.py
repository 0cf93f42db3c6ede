"""Why resources of services have failed: ``kms.ebs.why`` and ``kms.rds.why`` return it."""

from __future__ import annotations

from dataclasses import dataclass, field

from kmsmock.state.backend import Backend


@dataclass(slots=True)
class Failures:
    """The failures of one mock."""

    #: Resource id, or ARN of a database or of its snapshot -> explanation.
    by_resource: dict[str, str] = field(default_factory=dict)


def failures_of(backend: Backend) -> dict[str, str]:
    """Return the failures of a mock, which may be changed: id or ARN -> explanation."""
    return backend.service_state(Failures).by_resource
