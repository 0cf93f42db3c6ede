"""`kms.explain`: what names the key, and which parameters there are."""

from __future__ import annotations

import pytest

from tests.authorization.documents import ACCOUNT, OTHER, allow, policy, to

KMS_OPEN = [policy(allow("kms:*"))]


@pytest.fixture
def caller(kms):
    return kms.account(ACCOUNT).role("Caller", policies=KMS_OPEN)


@pytest.fixture
def closed(kms, client):
    """A key that only the administrator may use."""
    administrator = kms.account(ACCOUNT).administrator.arn
    document = policy(allow("kms:*", **to(administrator)))
    arn = client.create_key(Policy=document)["KeyMetadata"]["Arn"]
    client.create_alias(AliasName="alias/closed", TargetKeyId=arn)
    return arn


@pytest.mark.parametrize(
    ("action", "how"),
    [
        ("kms:Decrypt", "pass key, or parameters with KeyId or CiphertextBlob"),
        ("Encrypt", "pass key, or parameters with KeyId"),
        ("kms:ReEncryptFrom", "parameters with SourceKeyId or CiphertextBlob"),
        ("kms:ReEncryptTo", "parameters with DestinationKeyId"),
        ("kms:RetireGrant", "parameters with KeyId or GrantToken"),
        ("kms:CreateAlias", "parameters with TargetKeyId"),
        ("kms:UpdateAlias", "parameters with AliasName or TargetKeyId"),
        ("kms:SynchronizeMultiRegionKey", "pass key"),
    ],
)
def test_an_action_on_a_key_needs_the_key(kms, caller, action, how):
    with pytest.raises(ValueError, match=r"is about a key: pass key") as caught:
        kms.explain(caller, action)

    assert str(caught.value).endswith(how)


@pytest.mark.parametrize("action", ["kms:ListKeys", "kms:CreateKey", "s3:GetObject"])
def test_another_action_needs_no_key(kms, action):
    administrator = kms.account(ACCOUNT).administrator

    assert kms.explain(administrator, action)


@pytest.mark.parametrize(
    ("action", "parameters"),
    [
        ("kms:Decrypt", {"KeyId": "<key>"}),
        ("kms:Decrypt", {"KeyId": "alias/closed"}),
        ("kms:Decrypt", {"CiphertextBlob": "<blob>"}),
        ("kms:ReEncryptTo", {"DestinationKeyId": "<key>"}),
        ("kms:CreateAlias", {"TargetKeyId": "<key>", "AliasName": "alias/new"}),
        ("kms:DeleteAlias", {"AliasName": "alias/closed"}),
    ],
    ids=["key ARN", "alias", "ciphertext", "destination", "target", "own alias"],
)
def test_parameters_can_name_the_key(kms, client, caller, closed, action, parameters):
    blob = client.encrypt(KeyId=closed, Plaintext=b"text")["CiphertextBlob"]
    values = {"<key>": closed, "<blob>": blob}
    parameters = {name: values.get(value, value) for name, value in parameters.items()}

    decision = kms.explain(caller, action, parameters=parameters)

    assert not decision
    assert "no resource-based policy allows" in decision.reason


def test_a_grant_token_names_grant_and_key(kms, client, caller, key):
    made = client.create_grant(
        KeyId=key["KeyId"], GranteePrincipal=caller.arn, Operations=["RetireGrant", "Decrypt"]
    )

    token = {"GrantToken": made["GrantToken"]}
    assert (
        kms.explain(caller, "kms:RetireGrant", parameters=token).grant.grant_id == made["GrantId"]
    )


def test_update_alias_is_about_both_keys(kms, client, caller, closed):
    other = client.create_key()["KeyMetadata"]["Arn"]
    client.create_alias(AliasName="alias/other", TargetKeyId=other)

    for alias, target in (("alias/closed", other), ("alias/other", closed)):
        parameters = {"AliasName": alias, "TargetKeyId": target}
        assert closed in str(
            kms.explain(caller, "kms:UpdateAlias", parameters=parameters).missing[0]
        )
    parameters = {"AliasName": "alias/other", "TargetKeyId": other}
    assert kms.explain(caller, "kms:UpdateAlias", parameters=parameters)


def test_the_parameters_tell_whether_the_call_names_the_key_by_an_alias(kms, client, key):
    client.create_alias(AliasName="alias/app", TargetKeyId=key["KeyId"])
    by_alias = {"StringEquals": {"kms:RequestAlias": "alias/app"}}
    limited = kms.account(ACCOUNT).role(
        "Limited", policies=[policy(allow("kms:*", Condition=by_alias))]
    )

    named = {"KeyId": "alias/app"}
    assert kms.explain(limited, "kms:Encrypt", parameters=named)
    assert kms.explain(limited, "kms:Encrypt", key["Arn"], parameters=named)
    assert not kms.explain(limited, "kms:Encrypt", parameters={"KeyId": key["KeyId"]})


@pytest.mark.parametrize(
    ("action", "parameters", "message"),
    [
        ("kms:Decrypt", {"KeyId": "alias/none"}, "has no key 'alias/none'"),
        ("kms:Decrypt", {"CiphertextBlob": b"x"}, "was made by no symmetric key in us-east-1"),
        ("kms:RetireGrant", {"GrantToken": "x"}, "is of no grant in us-east-1"),
        ("kms:DeleteAlias", {"AliasName": "alias/none"}, "has no key 'alias/none'"),
    ],
)
def test_parameters_that_name_nothing_are_errors(kms, caller, action, parameters, message):
    with pytest.raises(ValueError, match=message):
        kms.explain(caller, action, parameters=parameters)


@pytest.mark.parametrize("member", ["KeyId", "CiphertextBlob"])
def test_names_of_two_keys_are_an_error(kms, client, caller, key, member):
    other = client.create_key()["KeyMetadata"]["KeyId"]
    made = client.encrypt(KeyId=other, Plaintext=b"text")
    parameters = {member: made[member]}

    with pytest.raises(ValueError, match="is about one key, but these are named"):
        kms.explain(caller, "kms:Decrypt", key["Arn"], parameters=parameters)


@pytest.mark.parametrize("action", ["kms:CreateAlias", "kms:UpdateAlias", "kms:DeleteAlias"])
def test_an_action_on_an_alias_needs_the_alias(kms, caller, key, action):
    with pytest.raises(ValueError, match="is about an alias, too: pass parameters with AliasName"):
        kms.explain(caller, action, key["Arn"])


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({}, "kms:RetireGrant is about a grant: pass parameters with GrantToken or GrantId"),
        ({"GrantId": "0" * 64}, "has no grant '000"),
    ],
)
def test_retire_grant_needs_the_grant(kms, caller, key, parameters, message):
    with pytest.raises(ValueError, match=message):
        kms.explain(caller, "kms:RetireGrant", key["Arn"], parameters=parameters)


@pytest.mark.parametrize(
    ("action", "parameters", "message"),
    [
        (
            "kms:Encrypt",
            {"EncryptionContxt": {}},
            "Encrypt has no parameter 'EncryptionContxt'; did you mean 'EncryptionContext'?",
        ),
        (
            "kms:CreateGrant",
            {"Operations": ["Decrypt", "Encypt"]},
            r"parameters['Operations'][1] cannot be 'Encypt'; did you mean 'Encrypt'?",
        ),
        (
            "kms:CreateGrant",
            {"Constraints": {"EncryptionContextEquls": {}}},
            "parameters['Constraints'] has no member 'EncryptionContextEquls'; did you mean "
            "'EncryptionContextEquals'?",
        ),
        (
            "kms:TagResource",
            {"Tags": [{"Key": "a", "Value": "b"}]},
            "parameters['Tags'][0] has no member 'Key'; did you mean 'TagKey'?",
        ),
        ("kms:Sign", {"SigningAlgorithm": "RSA"}, "parameters['SigningAlgorithm'] cannot be 'RSA'"),
        (
            "kms:ImportKeyMaterial",
            {"ValidTo": "soon"},
            "parameters['ValidTo'] is not a time: 'soon'",
        ),
        ("kms:Encrypt", {"GrantTokens": [], "Limit": 1}, "Encrypt has no parameter 'Limit'"),
        (
            "kms:CreateGrant",
            {"Operations": ["Decrypt"], "GranteePrincipal": "AROA" + "A" * 16},
            "GranteePrincipal does not refer to a valid principal",
        ),
    ],
)
def test_parameters_that_the_call_does_not_take_are_errors(
    kms, caller, key, action, parameters, message
):
    with pytest.raises(ValueError) as caught:
        kms.explain(caller, action, key["Arn"], parameters=parameters)

    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("action", "parameters", "message"),
    [
        ("kms:Encrypt", [], "parameters must be a dict, not list"),
        ("kms:Encrypt", {"KeyId": 7}, "parameters['KeyId'] must be a str, not int"),
        ("kms:Encrypt", {"Plaintext": 7}, "parameters['Plaintext'] must be bytes, not int"),
        (
            "kms:Encrypt",
            {"EncryptionContext": "x"},
            "parameters['EncryptionContext'] must be a dict",
        ),
        (
            "kms:Encrypt",
            {"EncryptionContext": {"a": 1}},
            "parameters['EncryptionContext']['a'] must be a str, not int",
        ),
        ("kms:Encrypt", {"EncryptionContext": None}, "must be a dict, not NoneType"),
        ("kms:CreateGrant", {"Operations": "Decrypt"}, "parameters['Operations'] must be a list"),
        ("kms:CreateGrant", {"Constraints": []}, "parameters['Constraints'] must be a dict"),
        ("kms:Encrypt", {"DryRun": "no"}, "parameters['DryRun'] must be a bool, not str"),
        ("kms:ScheduleKeyDeletion", {"PendingWindowInDays": "7"}, "must be an int, not str"),
        ("kms:ScheduleKeyDeletion", {"PendingWindowInDays": True}, "must be an int, not bool"),
        ("kms:ImportKeyMaterial", {"ValidTo": []}, "parameters['ValidTo'] must be a datetime"),
    ],
)
def test_parameters_of_a_wrong_type_are_errors(kms, caller, key, action, parameters, message):
    with pytest.raises(TypeError) as caught:
        kms.explain(caller, action, key["Arn"], parameters=parameters)

    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ({"encryption_context": "x"}, "encryption_context must be a dict, not str"),
        ({"encryption_context": {"a": 1}}, r"encryption_context\['a'\] must be a str, not int"),
        ({"context": ["x"]}, "context must be a dict, not list"),
        ({"context": {"aws:SourceIp": 7}}, r"context\['aws:SourceIp'\] must be a str or a list"),
        ({"context": {"aws:SourceIp": ["a", 7]}}, "must be a str or a list"),
        ({"via_service": 7}, "via_service must be a str, not int"),
    ],
)
def test_arguments_of_a_wrong_type_are_errors(kms, caller, key, argument, message):
    with pytest.raises(TypeError, match=message):
        kms.explain(caller, "kms:Encrypt", key["Arn"], **argument)


@pytest.mark.parametrize("principal", [None, 7])
def test_a_principal_of_a_wrong_type_is_an_error(kms, key, principal):
    with pytest.raises(TypeError, match="principal must be a principal or an ARN, not"):
        kms.explain(principal, "kms:Encrypt", key["Arn"])


def test_a_key_of_a_wrong_type_is_an_error(kms, caller):
    with pytest.raises(TypeError, match="key must be an id, ARN or alias, not dict"):
        kms.explain(caller, "kms:Encrypt", {"Plaintext": b"text"})


def test_a_misspelt_condition_key_of_kms_is_an_error(kms, caller, key):
    with pytest.raises(ValueError, match="did you mean 'kms:ViaService'"):
        kms.explain(caller, "kms:Encrypt", key["Arn"], context={"kms:ViaServce": "x"})
    assert kms.explain(caller, "kms:Encrypt", key["Arn"], context={"saml:sub": "x"})


@pytest.mark.parametrize("action", ["KMS:Encrypt", "kms:encrypt", "kms:ReEncrypt"])
def test_an_action_that_does_not_exist_is_an_error(kms, caller, key, action):
    with pytest.raises(ValueError, match=r"did you mean 'kms:(Encrypt|ReEncrypt(From|To))'"):
        kms.explain(caller, action, key["Arn"])


@pytest.mark.parametrize(
    ("action", "parameters"),
    [
        ("kms:Encrypt", {"EncryptionContext": {"tenant": "a"}}),
        ("kms:ReEncryptTo", {"DestinationEncryptionContext": {"tenant": "a"}}),
        (
            "kms:CreateGrant",
            {
                "Operations": ["Decrypt"],
                "Constraints": {"EncryptionContextSubset": {"tenant": "a"}},
            },
        ),
    ],
)
def test_two_encryption_contexts_are_an_error_unless_they_are_equal(
    kms, caller, key, action, parameters
):
    def explain(tenant):
        pairs = {"tenant": tenant}
        return kms.explain(
            caller, action, key["Arn"], parameters=parameters, encryption_context=pairs
        )

    assert explain("a")
    with pytest.raises(ValueError, match=r"encryption_context is \{'tenant': 'b'\}, but"):
        explain("b")


def test_blobs_and_times_can_be_what_boto3_takes(kms, caller, key):
    before = {"DateLessThan": {"kms:ValidTo": "2031-01-01T00:00:00Z"}}
    role = kms.account(ACCOUNT).role(
        "Importer", policies=[policy(allow("kms:*", Condition=before))]
    )

    for time, allowed in (("2030-01-01T00:00:00Z", True), ("2032-01-01", False), (0, True)):
        parameters = {"ValidTo": time}
        decision = kms.explain(role, "kms:ImportKeyMaterial", key["Arn"], parameters=parameters)
        assert bool(decision) is allowed
    for plaintext in ("text", b"text", bytearray(b"text")):
        assert kms.explain(caller, "kms:Encrypt", key["Arn"], parameters={"Plaintext": plaintext})


def test_the_resource_of_list_retirable_grants_can_be_a_service(kms):
    role = kms.account(ACCOUNT).role(
        "Lister", policies=[policy(allow("kms:ListRetirableGrants", "sns.amazonaws.com"))]
    )

    for service, allowed in (("sns.amazonaws.com", True), ("sqs.amazonaws.com", False)):
        parameters = {"RetiringServicePrincipal": service}
        assert bool(kms.explain(role, "kms:ListRetirableGrants", parameters=parameters)) is allowed


def test_a_federated_user_is_found_by_its_arn(kms, key):
    user = kms.account(ACCOUNT).user("ann", policies=KMS_OPEN)
    arn = f"arn:aws:sts::{ACCOUNT}:federated-user/bob"

    with pytest.raises(ValueError, match="federated-user/bob does not exist; create it with"):
        kms.explain(arn, "kms:Encrypt", key["Arn"])
    user.federated_user("bob", policies=KMS_OPEN)
    assert kms.explain(arn, "kms:Encrypt", key["Arn"])


def test_the_key_of_a_ciphertext_can_be_of_another_account(kms, client, key):
    foreign = kms.account(OTHER).role("Foreign", policies=KMS_OPEN)
    blob = client.encrypt(KeyId=key["KeyId"], Plaintext=b"x")["CiphertextBlob"]

    decision = kms.explain(foreign, "kms:Decrypt", parameters={"CiphertextBlob": blob})

    assert f"the key's account {ACCOUNT} does not share it" in decision.reason
