"""A use of each method of each object, which has the same result in the process and connected.

An example is a function of the control object. The world is that of `prepare`; with a seed, two
mocks have the same ids, times and random numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

OTHER = "111122223333"
ALLOW = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "kms:*", "Resource": "*"}],
}
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": OTHER}, "Action": "sts:AssumeRole"},
    ],
}
START = datetime(2026, 1, 1, tzinfo=timezone.utc)
ENCLAVE = rsa.generate_private_key(65537, 2048).public_key()
PUBLIC_KEY = ENCLAVE.public_bytes(
    serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
)
DATABASE = f"arn:aws:rds:us-east-1:123456789012:db:{'orders'}"
Example = Callable[[Any], Any]


def prepare(kms: Any) -> None:
    """Make a little of everything."""
    client = kms.client()
    key = client.create_key(Description="orders")["KeyMetadata"]["KeyId"]
    client.create_alias(AliasName="alias/app", TargetKeyId=key)
    client.generate_data_key(
        KeyId="alias/app", KeySpec="AES_256", EncryptionContext={"tenant": "a"}
    )
    client.enable_key_rotation(KeyId=key)
    client.create_key(MultiRegion=True)
    client.create_key(Origin="EXTERNAL")
    client.create_custom_key_store(
        CustomKeyStoreName="store",
        CloudHsmClusterId="cluster-2a23b4cdefg",
        TrustAnchorCertificate="a",
        KeyStorePassword="kmsPswrd",
    )
    role = kms.account(OTHER).role("App", policies=[ALLOW])
    client.create_grant(KeyId=key, GranteePrincipal=role.arn, Operations=["Decrypt"])
    refused(lambda: role.client().describe_key(KeyId=kms.keys[0].arn))
    refused(lambda: client.describe_key(KeyId="alias/none"))
    kms.client("ec2").create_volume(AvailabilityZone="us-east-1a", Size=1, Encrypted=True)
    kms.client("rds").create_db_instance(
        DBInstanceIdentifier="orders",
        DBInstanceClass="db.t3.micro",
        Engine="mysql",
        AllocatedStorage=20,
        MasterUsername="admin",
        MasterUserPassword="password",
        StorageEncrypted=True,
    )
    kms.client("cloudtrail").create_trail(Name="all", S3BucketName="logs")
    kms.clock.advance(days=2)


def refused(call: Callable[[], Any]) -> Any:
    """Return the exception that a call raises."""
    try:
        return call()
    except Exception as error:  # noqa: BLE001 - whatever it is, it is compared
        return error


def role(kms: Any) -> Any:
    return kms.account(OTHER).role("App")


def external(kms: Any) -> Any:
    return next(key for key in kms.keys if key.origin.value == "EXTERNAL")


def volume(kms: Any) -> str:
    return kms.client("ec2").describe_volumes()["Volumes"][0]["VolumeId"]


def store(kms: Any) -> Any:
    return kms.key_store(
        kms.client().describe_custom_key_stores()["CustomKeyStores"][0]["CustomKeyStoreId"]
    )


def after(*steps: Any) -> Any:
    """Return the last of some values; the others were made before."""
    return steps[-1]


def within(context: Any, use: Callable[[Any], Any]) -> Any:
    with context as entered:
        return use(entered)


def identity(client: Any) -> str:
    return client.get_caller_identity()["Arn"]


#: Class and method -> an example.
EXAMPLES: dict[str, Example] = {
    "KMSMock.account": lambda kms: kms.account(kms.account(OTHER)).id,
    "KMSMock.budget": lambda kms: within(
        kms.budget(requests=2, usd="1"), lambda b: (kms.client().list_keys() and b.requests, b)
    ),
    "KMSMock.checkpoint": lambda kms: kms.checkpoint(),
    "KMSMock.client": lambda kms: identity(kms.client("sts")),
    "KMSMock.explain": lambda kms: str(
        kms.explain(role(kms), "kms:Decrypt", kms.keys[0], encryption_context={"a": "b"})
    ),
    "KMSMock.import_material": lambda kms: after(
        kms.import_material(external(kms), b"0" * 32, ValidTo=START + timedelta(days=9)),
        (external(kms).state, external(kms).materials[0].valid_to),
    ),
    "KMSMock.key_store": lambda kms: store(kms).name,
    "KMSMock.least_privilege": lambda kms: kms.least_privilege(role(kms)),
    "KMSMock.load": lambda kms: after(kms.load({"keys": [{"description": "more"}]}), kms.keys),
    "KMSMock.principal": lambda kms: kms.principal("cloudtrail.amazonaws.com"),
    "KMSMock.request_context": lambda kms: within(
        kms.request_context({"aws:SourceIp": "10.0.0.1"}), lambda entered: entered
    ),
    "KMSMock.reset": lambda kms: after(kms.reset(), (kms.keys, len(kms.calls))),
    "KMSMock.restore": lambda kms: after(
        saved := kms.checkpoint(), kms.client().create_key(), kms.restore(saved), len(kms.keys)
    ),
    "Account.client": lambda kms: identity(kms.account(OTHER).client("sts")),
    "Account.join_organization": lambda kms: after(
        kms.account(OTHER).join_organization("o-exampleorgid", path="r-ab12/ou-ab12-11111111"),
        kms.client("organizations").describe_organization()["Organization"]["Id"],
    ),
    "Account.role": lambda kms: kms.account(OTHER).role(
        "Second", policies=(one for one in [ALLOW]), tags={"team": "a"}, trust=TRUST
    ),
    "Account.user": lambda kms: kms.account(OTHER).user("Ann", path="/team/"),
    "Principal.client": lambda kms: identity(role(kms).client("sts", "eu-west-1")),
    "Principal.delete": lambda kms: after(role(kms).delete(), kms.account(OTHER).role("App")),
    "Principal.federated_user": lambda kms: kms.account(OTHER).user("Ann").federated_user("bob"),
    "Principal.on_behalf_of": lambda kms: kms.principal("s3.amazonaws.com").on_behalf_of(
        "arn:aws:s3:::bucket"
    ),
    "Principal.session": lambda kms: (
        role(kms).session("eu-west-1").region_name,
        identity(role(kms).session().client("sts")),
    ),
    "Principal.set_boundary": lambda kms: role(kms).set_boundary(ALLOW),
    "Principal.set_policies": lambda kms: after(
        role(kms).set_policies(), kms.explain(role(kms), "kms:Decrypt", kms.keys[0])
    ),
    "Principal.set_tags": lambda kms: role(kms).set_tags({"team": "b"}),
    "Principal.set_trust": lambda kms: role(kms).set_trust(TRUST),
    "Principal.via": lambda kms: role(kms).via("s3").principal.via,
    "CustomKeyStore.fail": lambda kms: after(store(kms).fail("USER_LOCKED_OUT"), store(kms).fault),
    "CustomKeyStore.heal": lambda kms: after(
        store(kms).fail("USER_LOCKED_OUT"), store(kms).heal(), store(kms).fault
    ),
    "AttestationAuthority.document": lambda kms: type(
        kms.attestation.document(PUBLIC_KEY, pcrs={0: b"a" * 48}, nonce=b"once")
    ),
    "AllCalls.assert_all_keys_used": lambda kms: kms.calls.assert_all_keys_used(
        except_=[kms.keys[1], {"KeyId": kms.keys[2].key_id}]
    ),
    "AllCalls.assert_call_count": lambda kms: kms.calls.assert_call_count(3, "CreateKey"),
    "AllCalls.assert_called": lambda kms: kms.calls.assert_called(
        "GenerateDataKey", times=1, key=kms.aliases[0], encryption_context={"tenant": "a"}
    ),
    "AllCalls.assert_not_called": lambda kms: kms.calls.assert_not_called("Sign"),
    "AllCalls.clear": lambda kms: after(kms.calls.clear(), len(kms.calls)),
    "AllCalls.count": lambda kms: kms.calls.count(kms.calls[0]),
    "AllCalls.filter": lambda kms: kms.calls.filter("DescribeKey", account=kms.account(OTHER)),
    "AllCalls.index": lambda kms: kms.calls.index(kms.calls[1]),
    "Clock.advance": lambda kms: (kms.clock.advance(timedelta(days=1)), kms.clock.advance(hours=2)),
    "Clock.move_to": lambda kms: kms.clock.move_to(START + timedelta(days=9)),
    "Clock.now": lambda kms: kms.clock.now(),
    "Costs.assert_below": lambda kms: kms.costs.assert_below(usd=Decimal(100)),
    "Costs.by_account": lambda kms: kms.costs.by_account(),
    "Costs.by_key": lambda kms: [
        (name, count, count.usd, count.storage) for name, count in kms.costs.by_key().items()
    ],
    "Costs.by_month": lambda kms: kms.costs.by_month(),
    "Costs.by_operation": lambda kms: kms.costs.by_operation(),
    "Costs.by_region": lambda kms: kms.costs.by_region(),
    "Costs.by_test": lambda kms: list(kms.costs.by_test().values()) and None,
    "Costs.invoice": lambda kms: (kms.costs.invoice(START), kms.costs.invoice().table()),
    "Costs.project": lambda kms: kms.costs.project(kms.calls.filter("CreateKey"), times=5),
    "Costs.storage_by_key": lambda kms: kms.costs.storage_by_key(),
    "Costs.table": lambda kms: kms.costs.table(),
    "Ebs.read": lambda kms: kms.ebs.read(volume(kms), 0, 4),
    "Ebs.why": lambda kms: kms.ebs.why(volume(kms)),
    "Ebs.write": lambda kms: after(
        kms.ebs.write(volume(kms), 0, b"data"), kms.ebs.read(volume(kms), 0, 5)
    ),
    "Faults.assert_all_fired": lambda kms: kms.faults.assert_all_fired(),
    "Faults.clear": lambda kms: after(
        kms.faults.throttle("Sign"), kms.faults.clear(), kms.faults.assert_all_fired()
    ),
    "Faults.corrupt_response": lambda kms: kms.faults.corrupt_response("ListKeys", body=b"<"),
    "Faults.delay": lambda kms: kms.faults.delay("ListKeys", seconds=2.5),
    "Faults.drop_connection": lambda kms: kms.faults.drop_connection("Encrypt", caller=role(kms)),
    "Faults.eventual_consistency": lambda kms: kms.faults.eventual_consistency(60),
    "Faults.fail": lambda kms: after(
        fault := kms.faults.fail("DescribeKey", "KMSInternalException", key=kms.keys[0], times=1),
        refused(lambda: kms.client().describe_key(KeyId="alias/app")),
        (fault, fault.fired),
    ),
    "Faults.quota": lambda kms: kms.faults.quota("CreateKey", per_second=0.5),
    "Faults.throttle": lambda kms: kms.faults.throttle(account=kms.account(OTHER)),
    "Faults.timeout": lambda kms: kms.faults.timeout("Encrypt", waiting_to="connect"),
    "Quotas.assert_headroom": lambda kms: kms.quotas.assert_headroom(1),
    "Quotas.headroom": lambda kms: str(kms.quotas.headroom(2.5)),
    "Rds.read": lambda kms: kms.rds.read(DATABASE, 0, 4),
    "Rds.why": lambda kms: kms.rds.why(DATABASE),
    "Rds.write": lambda kms: after(
        kms.rds.write(DATABASE, 2, b"data"), kms.rds.read(DATABASE, 0, 8)
    ),
    "Secrets.add": lambda kms: after(kms.secrets.add("correct horse battery"), kms.secrets),
    "Secrets.assert_absent_from": lambda kms: kms.secrets.assert_absent_from("text", ["list"]),
    "Secrets.clear": lambda kms: after(kms.secrets.clear(), len(kms.secrets)),
    "Secrets.count": lambda kms: kms.secrets.count(None),
    "Secrets.find_in": lambda kms: str(
        kms.secrets.find_in(kms.secrets[0].reveal().hex(), b"bytes").findings[0]
    ),
    "Secrets.index": lambda kms: kms.secrets.index(kms.secrets[0]),
    "Secret.reveal": lambda kms: kms.secrets[0].reveal(),
    "Trail.count": lambda kms: kms.trail.count(kms.trail[0]),
    "Trail.index": lambda kms: kms.trail.index(kms.trail[1]),
    "Trail.lookup": lambda kms: kms.trail.lookup(
        "DescribeKey", account="123456789012", start=START, error_code="NotFoundException"
    ),
    "Trail.schema": lambda kms: kms.trail.schema(),
}

#: What tests do besides: special methods, and what is wrong. In words -> an example.
USES: dict[str, Example] = {
    "len": lambda kms: (len(kms.calls), len(kms.trail), len(kms.secrets)),
    "an index": lambda kms: (kms.calls[-1], kms.trail[0]),
    "a slice": lambda kms: (kms.calls[1:3], kms.trail[-2:]),
    "an index that is too large": lambda kms: refused(lambda: kms.calls[1000]),
    "a loop": lambda kms: [call.operation for call in kms.calls],
    "reversed": lambda kms: [call.operation for call in reversed(kms.calls)],
    "in": lambda kms: (kms.calls[0] in kms.calls, None in kms.calls),
    "a comparison with a list": lambda kms: kms.calls == list(kms.calls),
    "the truth of a decision": lambda kms: bool(kms.explain(role(kms), "kms:Sign", kms.keys[0])),
    "the truth of nothing": lambda kms: (bool(kms.secrets), bool(kms.calls.filter("ListKeys"))),
    "a format": lambda kms: f"{kms.calls[0]} {kms.costs} {kms.secrets[0]}",
    "a default principal": lambda kms: within(role(kms), lambda _: identity(kms.client("sts"))),
    "a nested attribute": lambda kms: kms.aliases[0].key.rotation.next_date,
    "a decision about a call": lambda kms: (
        next(call for call in kms.calls if not call.allowed).decision.reason
    ),
    "a local object that names a key": lambda kms: kms.calls.filter(
        key=type("Stack", (), {"arn": kms.keys[0].arn})()
    ),
    "an exceeded budget": lambda kms: refused(
        lambda: within(kms.budget(requests=0), lambda _: kms.client().list_keys())
    ),
    "an exceeded budget of a block that raises": lambda kms: refused(
        lambda: within(kms.budget(requests=0), lambda _: (kms.client().list_keys(), {}["none"]))
    ),
    "a request context of a block that raises": lambda kms: (
        refused(
            lambda: within(kms.request_context({"aws:SourceIp": "10.0.0.1"}), lambda _: {}["none"])
        ),
        kms.explain(role(kms), "kms:Decrypt", kms.keys[0]),
    ),
    "a misspelt attribute": lambda kms: refused(lambda: kms.cost),
    "a misspelt attribute of a result": lambda kms: refused(lambda: kms.costs.by_operations),
    "a misspelt attribute of a key": lambda kms: refused(lambda: kms.keys[0].regions),
    "a misspelt keyword": lambda kms: refused(lambda: kms.budget(request=1)),
    "a misspelt member": lambda kms: refused(lambda: kms.calls.filter(error="x")),
    "a missing argument": lambda kms: refused(lambda: kms.explain("principal")),
    "an argument by position": lambda kms: refused(lambda: kms.faults.throttle("Encrypt", 5)),
    "an argument of a wrong type": lambda kms: refused(lambda: kms.account(int(OTHER))),
    "another argument of a wrong type": lambda kms: refused(lambda: kms.load(5)),
    "a time without a zone": lambda kms: refused(lambda: kms.clock.move_to(datetime(2030, 1, 1))),
    "an earlier time": lambda kms: refused(lambda: kms.clock.move_to(START)),
    "a wrong key": lambda kms: refused(lambda: kms.explain(role(kms), "kms:Sign", "alias/no")),
    "a wrong world": lambda kms: refused(lambda: kms.load({"keys": [{"spec": "none"}]})),
    "a wrong policy": lambda kms: refused(lambda: role(kms).set_policies({"Statement": 5})),
    "a failed assertion": lambda kms: refused(
        lambda: kms.calls.assert_called("GenerateDataKey", encryption_context={"tenant": "b"})
    ),
    "a fault that has not fired": lambda kms: after(
        kms.faults.throttle("Sign"), refused(kms.faults.assert_all_fired)
    ),
    "a plaintext that was found": lambda kms: refused(
        lambda: kms.secrets.assert_absent_from(kms.secrets[0].reveal())
    ),
    "material that cannot be imported": lambda kms: refused(
        lambda: kms.import_material(kms.keys[0], b"0" * 32)
    ),
    "a checkpoint of something else": lambda kms: refused(lambda: kms.restore(kms.keys[0])),
    "another account's root": lambda kms: (kms.account(OTHER).root, kms.account(OTHER)),
}
