"""``kmsmock explain`` refuses policies that AWS does not accept because of their size."""

from __future__ import annotations

import pytest

from tests.policies_of_size import ACCOUNT, IDENTITY, KEY, ROLE, USER, policy

FILES = {
    "key_policy": (32_768, KEY, ROLE),
    "identity_policy": (10_240, IDENTITY, ROLE),
    "identity_policy of a user": (6144, IDENTITY, USER),
    "boundary": (6144, IDENTITY, ROLE),
    "session_policy": (2048, IDENTITY, ROLE),
}


@pytest.mark.parametrize("option", FILES)
@pytest.mark.parametrize("more", [0, 1], ids=["largest", "too large"])
def test_the_command_refuses_a_policy_beyond_the_limit(explain, option, more):
    limit, elements, principal = FILES[option]
    request = {
        "principal": principal,
        "action": "kms:Encrypt",
        "resource": f"arn:aws:kms:us-east-1:{ACCOUNT}:key/k",
    }
    name = option.split()[0]
    code, output = explain(request, **{name: policy(limit + more, elements) + " " * 40_000})
    assert (code == 2) is bool(more)
    if more:
        assert f"/{name}: the limit of " in output
        assert f" is {limit:,} " in output
        assert f"the size is {limit + 1:,}" in output
