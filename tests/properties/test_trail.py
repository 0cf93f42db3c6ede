"""Whatever is called, the trail has the records that AWS would log, and no secret in them."""

from __future__ import annotations

import base64
import json
from collections import Counter
from typing import Any

from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from kmsmock import KMSMock, mock_kms
from tests.authorization.documents import allow, policy, to
from tests.thoroughness import examples

OWNER, PARTNER = "111111111111", "222222222222"
ACCOUNTS = (OWNER, PARTNER)
CALLERS = ("root", "user", "role", "via", "nobody")
KEYS = ("shared", "own", "disabled", "missing")
#: A secret that cannot be in a record by chance.
SECRET = b"the secret that no record may have: \x00\xff\x10"


class Twins:
    """Two accounts, of which the partner may use some keys of the owner."""

    def __init__(self, kms: KMSMock) -> None:
        self.kms = kms
        owner = kms.account(OWNER)
        client = owner.client()
        shared = policy(*(allow("kms:*", **to(account)) for account in ACCOUNTS))
        made = {
            "shared": client.create_key(Policy=shared),
            "own": client.create_key(),
            "disabled": client.create_key(Policy=shared),
        }
        self.keys = {name: key["KeyMetadata"]["Arn"] for name, key in made.items()}
        client.disable_key(KeyId=self.keys["disabled"])
        self.keys["missing"] = self.keys["own"][:-12] + "0" * 12
        self.blob = client.encrypt(KeyId=self.keys["shared"], Plaintext=SECRET)["CiphertextBlob"]
        everything = policy(allow("*"))
        self.callers: dict[tuple[str, str], Any] = {}
        for number in ACCOUNTS:
            account = kms.account(number)
            user = account.user("User", policies=[everything])
            self.callers[number, "root"] = account.root
            self.callers[number, "user"] = user
            self.callers[number, "role"] = account.role("Role", policies=[everything])
            self.callers[number, "via"] = user.via("s3")
            self.callers[number, "nobody"] = account.user("Nobody")
        self.secrets = [SECRET]
        self.expected: Counter[tuple[str, str, str | None]] = Counter()

    def call(self, operation: str, account: str, caller: str, key: str) -> None:
        """Make a call, and note which records AWS would log of it."""
        client = self.callers[account, caller].client()
        arn = self.keys[key]
        code = None
        try:
            getattr(self, f"_{operation}")(client, arn)
        except ClientError as error:
            code = error.response["Error"]["Code"]
        name = "".join(word.capitalize() for word in operation.split("_"))
        shown = "AccessDenied" if code == "AccessDeniedException" else code
        self.expected[name, account, shown] += 1
        key_was_found = key != "missing" or operation == "decrypt"
        if account != OWNER and key_was_found and code != "AccessDeniedException":
            self.expected[name, OWNER, shown] += 1

    def _encrypt(self, client: Any, arn: str) -> None:
        answer = client.encrypt(KeyId=arn, Plaintext=SECRET, EncryptionContext={"a": "b"})
        self.secrets.append(answer["CiphertextBlob"])

    def _decrypt(self, client: Any, arn: str) -> None:
        del arn
        client.decrypt(CiphertextBlob=self.blob)

    def _generate_data_key(self, client: Any, arn: str) -> None:
        answer = client.generate_data_key(KeyId=arn, KeySpec="AES_256")
        self.secrets += [answer["Plaintext"], answer["CiphertextBlob"]]

    def _describe_key(self, client: Any, arn: str) -> None:
        client.describe_key(KeyId=arn)

    def _create_grant(self, client: Any, arn: str) -> None:
        answer = client.create_grant(
            KeyId=arn,
            GranteePrincipal=f"arn:aws:iam::{OWNER}:user/User",
            Operations=["Decrypt"],
        )
        self.secrets.append(answer["GrantToken"].encode())


OPERATIONS = ("encrypt", "decrypt", "generate_data_key", "describe_key", "create_grant")
steps = st.lists(
    st.tuples(*(st.sampled_from(values) for values in (OPERATIONS, ACCOUNTS, CALLERS, KEYS))),
    min_size=1,
    max_size=12,
)


def forms(secret: bytes) -> list[str]:
    """Give the forms in which a secret could lie in JSON."""
    encoded = [base64.b64encode(secret), base64.urlsafe_b64encode(secret), secret.hex().encode()]
    texts = [form.decode().rstrip("=") for form in encoded]
    return [*texts, json.dumps(secret.decode("latin-1"))[1:-1]]


@examples(8)
@given(steps)
def test_the_trail_has_what_aws_would_log_and_nothing_secret(calls):
    with mock_kms(isolated=True, account_id=OWNER) as kms:
        twins = Twins(kms)
        before = len(kms.trail)
        for step in calls:
            twins.call(*step)

        records = kms.trail[before:]

        found = Counter(
            (r["eventName"], r["recipientAccountId"], r.get("errorCode")) for r in records
        )
        assert found == twins.expected
        ids = [record["eventID"] for record in kms.trail]
        assert len(ids) == len(set(ids))
        pairs = Counter(r["sharedEventID"] for r in records if "sharedEventID" in r)
        assert set(pairs.values()) <= {2}
        written = json.dumps(kms.trail.events)
        for secret in twins.secrets:
            assert not [form for form in forms(secret) if form in written]
