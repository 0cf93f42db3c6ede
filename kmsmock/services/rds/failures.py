"""Why databases and snapshots have failed, whoever stores them: what ``kms.rds.why`` gives."""

from __future__ import annotations

from dataclasses import dataclass, field

from kmsmock.state.backend import Backend


@dataclass(slots=True)
class Failures:
    """The failures of one mock: ARN -> the reason, for humans."""

    by_arn: dict[str, str] = field(default_factory=dict)


def failures_of(backend: Backend) -> dict[str, str]:
    """Return what has failed: ARN -> the reason, for humans. To be read and written."""
    return backend.service_state(Failures).by_arn
