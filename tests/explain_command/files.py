"""What the files of these tests are about."""

from __future__ import annotations

from tests.authorization.documents import ACCOUNT, allow, policy, to

KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/k"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/App"
REQUEST = {"principal": ROLE, "action": "kms:Encrypt", "resource": KEY}
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
DELEGATING = policy(allow("kms:*", **to(ACCOUNT)))


def grant(**more):
    return {"KeyId": KEY, "GranteePrincipal": ROLE, "Operations": ["Encrypt"], **more}
