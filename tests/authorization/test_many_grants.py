"""One grantee with many grants on a key: no call is more work than with few of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from kmsmock import KMSMock, mock_kms
from tests.work import count_calls

ACCOUNT = "123456789012"
OPERATIONS = ["Decrypt", "DescribeKey", "GenerateDataKey", "CreateGrant", "RetireGrant"]
#: An explanation looks at 200.
FEW, MANY = 200, 320
#: What the grants are limited to; n: of the n-th grant.
CONSTRAINTS: dict[str, Callable[[int], dict[str, Any]]] = {
    "nothing": lambda _: {},
    "a context": lambda n: {"EncryptionContextEquals": {"tenant": str(n)}},
    "a pair of its own and one that all have": lambda n: {
        "EncryptionContextSubset": {"app": "shop", "tenant": str(n)}
    },
    "the same pair": lambda _: {"EncryptionContextSubset": {"app": "shop"}},
}


class Crowd:
    """A key with grants of one role. limit: returns the Constraints of the n-th grant."""

    def __init__(self, kms: KMSMock, count: int, limit: Callable[[int], dict[str, Any]]) -> None:
        self.kms = kms
        account = kms.account(ACCOUNT)
        self.role, self.other = account.role("Grantee"), account.role("Other")
        self.admin, self.client = kms.client(), self.role.client()
        self.key = self.admin.create_key()["KeyMetadata"]["Arn"]
        self.count, self.limit = count, limit
        self.grants = [self.grant(number) for number in range(count)]
        self.blobs = [
            self.admin.encrypt(KeyId=self.key, Plaintext=b"x", **self.context(number))
            for number in (0, count - 1)
        ]

    def grant(self, number: int, **changes: Any) -> dict[str, Any]:
        parameters = {
            "GranteePrincipal": self.role.arn,
            "RetiringPrincipal": self.other.arn,
            "Operations": OPERATIONS,
            "Name": "tenants",
            "Constraints": {**self.limit(number)},
            **changes,
        }
        return self.admin.create_grant(KeyId=self.key, **parameters)

    def context(self, number: int) -> dict[str, Any]:
        limit = self.limit(number)
        pairs = limit.get("EncryptionContextEquals") or limit.get("EncryptionContextSubset")
        return {"EncryptionContext": pairs} if pairs else {}

    def decrypt(self, number: int, **more: Any) -> None:
        blob = self.blobs[number and 1]["CiphertextBlob"]
        self.client.decrypt(CiphertextBlob=blob, **self.context(number), **more)


def retire(crowd: Crowd) -> None:
    grant_id = crowd.grant(0, Operations=["Encrypt"])["GrantId"]
    crowd.other.client().retire_grant(KeyId=crowd.key, GrantId=grant_id)


def revoke(crowd: Crowd) -> None:
    grant_id = crowd.grant(0, Operations=["Encrypt"])["GrantId"]
    crowd.admin.revoke_grant(KeyId=crowd.key, GrantId=grant_id)


def give(crowd: Crowd) -> None:
    new = {"GranteePrincipal": crowd.other.arn, "Operations": ["Decrypt"], "Name": "given"}
    crowd.client.create_grant(KeyId=crowd.key, Constraints=crowd.limit(1), **new)


def list_second_page(crowd: Crowd) -> None:
    first = crowd.admin.list_grants(KeyId=crowd.key, GranteePrincipal=crowd.role.arn, Limit=1)
    crowd.admin.list_grants(
        KeyId=crowd.key,
        GranteePrincipal=crowd.role.arn,
        Limit=1,
        Marker=first["NextMarker"],
    )


def be_denied(crowd: Crowd) -> None:
    with pytest.raises(ClientError, match="not authorized to perform: kms:Encrypt"):
        crowd.client.encrypt(KeyId=crowd.key, Plaintext=b"x")


USES: dict[str, Callable[[Crowd], Any]] = {
    "Decrypt by the oldest": lambda crowd: crowd.decrypt(0),
    "Decrypt by the newest": lambda crowd: crowd.decrypt(crowd.count - 1),
    "Decrypt with a token": lambda crowd: crowd.decrypt(
        crowd.count - 1, GrantTokens=[crowd.grants[-1]["GrantToken"]]
    ),
    "DescribeKey": lambda crowd: crowd.client.describe_key(KeyId=crowd.key),
    "a denied Encrypt": be_denied,
    "CreateGrant with a name": lambda crowd: crowd.grant(crowd.count - 1),
    "CreateGrant with a new name": lambda crowd: crowd.grant(0, Name="new"),
    "CreateGrant without a name": lambda crowd: crowd.admin.create_grant(
        KeyId=crowd.key, GranteePrincipal=crowd.role.arn, Operations=["Decrypt"]
    ),
    "CreateGrant by a grant": give,
    "CreateGrant and RetireGrant": retire,
    "CreateGrant and RevokeGrant": revoke,
    "ListGrants by id": lambda crowd: crowd.admin.list_grants(
        KeyId=crowd.key, GrantId=crowd.grants[-1]["GrantId"]
    ),
    "ListGrants by grantee": list_second_page,
    "ListGrants of another": lambda crowd: crowd.admin.list_grants(
        KeyId=crowd.key, GranteePrincipal=crowd.other.arn
    ),
    "ListRetirableGrants": lambda crowd: crowd.admin.list_retirable_grants(
        RetiringPrincipal=crowd.other.arn, Limit=1
    ),
    "explain": lambda crowd: crowd.kms.explain(
        crowd.role, "kms:Decrypt", crowd.key, parameters=crowd.context(1)
    ),
}


@pytest.fixture(params=CONSTRAINTS)
def crowds(request: pytest.FixtureRequest) -> Any:
    limit = CONSTRAINTS[request.param]
    with mock_kms() as few, mock_kms() as many:
        yield Crowd(few, FEW, limit), Crowd(many, MANY, limit)


def test_a_use_is_no_more_work_with_many_grants(crowds: tuple[Crowd, Crowd]) -> None:
    few, many = crowds
    for name, use in USES.items():
        for crowd in crowds:
            use(crowd)  # what is done once in a mock does not count

        _, least = count_calls(lambda use=use: use(few))
        _, most = count_calls(lambda use=use: use(many))

        assert most < least + 50, name


def test_grants_of_a_role_that_was_deleted_are_not_looked_at_one_by_one() -> None:
    with mock_kms() as kms:
        crowd = Crowd(kms, MANY, CONSTRAINTS["nothing"])
        iam = kms.client("iam")
        iam.delete_role(RoleName="Grantee")
        crowd.role = kms.account(ACCOUNT).role("Grantee")
        crowd.client = crowd.role.client()
        crowd.grant(0)
        crowd.decrypt(0)

        _, calls = count_calls(lambda: crowd.decrypt(0))

        assert calls < 2_000


def test_checkpoints_bring_back_grants_and_their_order() -> None:
    with mock_kms() as kms:
        crowd = Crowd(kms, 2, CONSTRAINTS["nothing"])
        ids = [crowd.grant(0, Name=f"n{number}")["GrantId"] for number in range(5)]
        checkpoint = kms.checkpoint()

        crowd.admin.revoke_grant(KeyId=crowd.key, GrantId=ids[1])
        added = crowd.grant(0, Name="more")
        kms.restore(checkpoint)
        listed = crowd.admin.list_grants(KeyId=crowd.key)["Grants"]
        again = crowd.grant(0, Name="n1")["GrantId"]
        kms.restore(checkpoint)
        with pytest.raises(ClientError, match="InvalidGrantToken"):
            crowd.decrypt(0, GrantTokens=[added["GrantToken"]])
        retirable = crowd.admin.list_retirable_grants(RetiringPrincipal=crowd.other.arn)

        assert [grant["GrantId"] for grant in listed][1:] == ids
        assert again == ids[1]
        assert len(retirable["Grants"]) == len(listed) == 6
