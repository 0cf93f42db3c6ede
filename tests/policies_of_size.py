"""Policies of an exact size."""

from __future__ import annotations

import json

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/App"
USER = f"arn:aws:iam::{ACCOUNT}:user/ann"
IDENTITY = {"Action": "kms:*", "Resource": "*"}
KEY = {"Principal": {"AWS": ACCOUNT}, **IDENTITY}
TRUST = {"Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}
CONTROL = {"Principal": "*", **IDENTITY}


def policy(size, elements=IDENTITY):
    """Return a policy of a size in characters, as JSON text without white space."""
    statement = {"Sid": "", "Effect": "Allow", **elements}
    document = {"Version": "2012-10-17", "Statement": statement}
    statement["Sid"] = "a" * (size - len(json.dumps(document, separators=(",", ":"))))
    text = json.dumps(document, separators=(",", ":"))
    assert len(text) == size
    return text
