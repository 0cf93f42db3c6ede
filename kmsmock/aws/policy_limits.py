"""The limits of policies: their sizes, and how many there can be.

Sources: AWS KMS Developer Guide, "Resource quotas"; IAM User Guide, "IAM and AWS STS quotas", with
"IAM and STS character limits"; AWS Organizations User Guide, "Quotas and service limits for AWS
Organizations". Quotas that AWS can raise have their defaults here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple


class PolicyLimitError(ValueError):
    """A policy is too large, or there are too many; the message names the limit."""


class SizeLimit(NamedTuple):
    """The greatest size of a policy, or of several together."""

    #: What has the limit, as messages name it.
    subject: str
    #: The greatest size, in the unit.
    most: int
    #: ``characters``, or ``bytes`` of UTF-8.
    unit: str = "characters"
    #: Whether white space counts; in a document that is no text there is none between its elements.
    counts_white_space: bool = False

    def measure(self, *documents: str | Mapping[str, Any]) -> int:
        """Return the size of documents together, which are JSON text, or what it means."""
        return sum(map(self._measure_one, documents))

    def _measure_one(self, document: str | Mapping[str, Any]) -> int:
        text = document if isinstance(document, str) else _as_compact_text(document)
        if not self.counts_white_space:
            text = "".join(text.split())
        return len(text.encode()) if self.unit == "bytes" else len(text)

    def require(self, *documents: str | Mapping[str, Any]) -> None:
        """Require that documents together are not too large. Raises PolicyLimitError."""
        size = self.measure(*documents)
        if size > self.most:
            raise PolicyLimitError(self.describe(size))

    def describe(self, size: int) -> str:
        """Return the explanation of a size beyond the limit."""
        counted = "" if self.counts_white_space else ", not counting white space"
        return (
            f"the limit of {self.subject} is {self.most:,} {self.unit}{counted}, "
            f"and the size is {size:,}"
        )


def _as_compact_text(document: Mapping[str, Any]) -> str:
    return json.dumps(dict(document), separators=(",", ":"), ensure_ascii=False)


class CountLimit(NamedTuple):
    """How many there can be."""

    #: What is counted, as messages name it.
    subject: str
    most: int

    def require(self, number: int) -> None:
        """Require that there are not too many. Raises PolicyLimitError."""
        if number > self.most:
            raise PolicyLimitError(self.describe(number))

    def describe(self, number: int) -> str:
        """Return the explanation of a number beyond the limit."""
        return f"the limit of {self.subject} is {self.most}, and there are {number}"


# --- KMS ----------------------------------------------------------------------------------------

KEY_POLICY = SizeLimit("a key policy", 32_768, "bytes", counts_white_space=True)


# --- IAM and STS --------------------------------------------------------------------------------

#: Kind of identity -> the limit of its inline policies.
INLINE_POLICIES = {
    word: SizeLimit(f"the inline policies of a {word} together", most)
    for word, most in (("user", 2048), ("role", 10_240), ("group", 5120))
}
#: Kind of identity -> the limit of the managed policies that are attached to it.
ATTACHED_POLICIES = {
    word: CountLimit(f"the managed policies attached to a {word}", 10) for word in INLINE_POLICIES
}
MANAGED_POLICY = SizeLimit("a managed policy", 6144)
#: A permissions boundary is a managed policy.
BOUNDARY = SizeLimit("a permissions boundary", MANAGED_POLICY.most)
POLICY_VERSIONS = CountLimit("the versions of a managed policy", 5)
TRUST_POLICY = SizeLimit("the trust policy of a role", 2048)
#: Of the document of a session and the ARNs of its managed policies. AWS also packs these and the
#: session tags into a smaller form, whose size is limited, too, and not documented.
SESSION_POLICIES = SizeLimit(
    "the session policies of a session, with the ARNs of managed ones, together",
    2048,
    counts_white_space=True,
)
SESSION_POLICY_ARNS = CountLimit("the managed policies of a session", 10)


# --- Organizations ------------------------------------------------------------------------------

SERVICE_CONTROL_POLICY = SizeLimit("a service control policy", 10_240, counts_white_space=True)
RESOURCE_CONTROL_POLICY = SizeLimit("a resource control policy", 5120, counts_white_space=True)
ATTACHED_SERVICE_CONTROL = CountLimit("the service control policies of a level", 10)
#: One of the five is RCPFullAWSAccess, which is always attached.
ATTACHED_RESOURCE_CONTROL = CountLimit(
    "the resource control policies of a level, beside RCPFullAWSAccess,", 4
)
#: The root, organizational units nested five deep, and the account.
ORGANIZATION_LEVELS = CountLimit("the levels of an organization", 7)
