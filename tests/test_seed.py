"""Seeded worlds: the same on each machine, with each version of Python and libraries.

``UPDATE_SEEDED_WORLD=1 pytest tests/test_seed.py`` writes the golden file again, which changes the
worlds of all who use seeds.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

from kmsmock import WorldError, mock_kms

GOLDEN = Path(__file__).parent / "data" / "seeded_world.json"

KEY_ID = "1234abcd-12ab-34cd-56ef-1234567890ab"


#: What is no answer, or not known to each botocore.
_LEFT_OUT = ("ResponseMetadata", "KeyMaterialId")


def plain(value):
    """Give an answer as JSON can have it."""
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items() if name not in _LEFT_OUT}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, bytes):
        return value.hex()
    return value if isinstance(value, (str, int, bool)) else value.astimezone().timestamp()


def world(seed):
    """Live through a bit of everything that a seed determines."""
    with mock_kms(seed=seed, isolated=True) as kms:
        client = kms.client()

        def new(**parameters):
            return client.create_key(**parameters)["KeyMetadata"]["KeyId"]

        key = new()
        names = ("KeyId", "CreationDate", "AWSAccountId", "KeyState", "Arn")
        metadata = client.describe_key(KeyId=key)["KeyMetadata"]
        answers = [{name: metadata[name] for name in names}]
        context = {"tenant": "a"}
        answers += [
            client.encrypt(KeyId=key, Plaintext=b"text", EncryptionContext=context),
            client.generate_data_key(KeyId=key, KeySpec="AES_256"),
            client.generate_random(NumberOfBytes=16),
        ]
        role = kms.account("123456789012").role("App")
        answers.append(
            client.create_grant(KeyId=key, GranteePrincipal=role.arn, Operations=["Decrypt"])
        )
        answers.append({"role": role.unique_id, "access key": role.credentials.access_key})
        mac_key = new(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")
        answers.append(
            client.generate_mac(KeyId=mac_key, MacAlgorithm="HMAC_SHA_256", Message=b"text")
        )
        rsa_key = new(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")
        answers.append(
            client.sign(
                KeyId=rsa_key, Message=b"text", SigningAlgorithm="RSASSA_PKCS1_V1_5_SHA_256"
            )
        )
        for spec, digest in (("P256", 256), ("P384", 384), ("P521", 512)):
            elliptic = new(KeySpec=f"ECC_NIST_{spec}", KeyUsage="SIGN_VERIFY")
            answers.append(
                client.sign(KeyId=elliptic, Message=b"text", SigningAlgorithm=f"ECDSA_SHA_{digest}")
            )
        client.enable_key_rotation(KeyId=key)
        kms.clock.advance(days=365)
        answers += [
            {name: record[name] for name in ("eventTime", "serviceEventDetails")}
            for record in kms.trail.lookup("RotateKey")
        ]
        return plain(answers)


def test_a_seeded_world_is_that_of_the_golden_file():
    lived = world(7)
    if os.environ.get("UPDATE_SEEDED_WORLD"):
        GOLDEN.write_text(json.dumps(lived, indent=1) + "\n", encoding="utf-8")

    assert lived == json.loads(GOLDEN.read_text(encoding="utf-8"))


def test_a_seed_is_the_same_as_number_and_as_text_and_another_is_another():
    assert world("7") == world(7) != world(8)


def test_a_seeded_clock_stands_still_until_it_is_moved():
    with mock_kms(seed=7) as kms:
        before = kms.clock.now()
        assert kms.clock.now() == before
        kms.clock.advance(seconds=1)
        assert (kms.clock.now() - before).total_seconds() == 1


def test_reset_begins_the_seeded_world_again():
    with mock_kms(seed=7) as kms:
        first = kms.client().create_key()["KeyMetadata"]["KeyId"]
        kms.reset()

        assert kms.client().create_key()["KeyMetadata"]["KeyId"] == first


def test_a_world_that_is_refused_changes_nothing_of_what_follows():
    def ids(*worlds):
        with mock_kms(seed=7) as kms:
            for world in worlds:
                with pytest.raises(WorldError):
                    kms.load(world)
            return kms.client().create_key()["KeyMetadata"]["KeyId"]

    assert ids({"keys": ["alias/a", {"spec": "none"}]}) == ids()


def test_what_follows_a_loaded_world_depends_on_the_world_and_the_seed():
    def ids(seed, alias):
        with mock_kms(seed=seed) as kms:
            kms.load({"keys": [{"id": KEY_ID, "alias": alias}]})
            return kms.client().create_key()["KeyMetadata"]["KeyId"]

    first = ids(7, "alias/a")

    assert ids(7, "alias/a") == first
    assert len({first, ids(7, "alias/b"), ids(8, "alias/a")}) == 3


@pytest.mark.parametrize(
    ("curve", "scalar", "algorithm", "r", "s"),
    [
        pytest.param(
            ("ECC_NIST_P256", ec.SECP256R1()),
            0xC9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721,
            "ECDSA_SHA_256",
            0xEFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716,
            0xF7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8,
            id="RFC 6979, A.2.5",
        ),
        pytest.param(
            ("ECC_NIST_P384", ec.SECP384R1()),
            int(
                "6B9D3DAD2E1B8C1C05B19875B6659F4DE23C3B667BF297BA"
                "9AA47740787137D896D5724E4C70A825F872C9EA60D2EDF5",
                16,
            ),
            "ECDSA_SHA_384",
            int(
                "94EDBB92A5ECB8AAD4736E56C691916B3F88140666CE9FA7"
                "3D64C4EA95AD133C81A648152E44ACF96E36DD1E80FABE46",
                16,
            ),
            int(
                "99EF4AEB15F178CEA1FE40DB2603138F130E740A19624526"
                "203B6351D0A3A94FA329C145786E679E7B82C71A38628AC8",
                16,
            ),
            id="RFC 6979, A.2.6",
        ),
        pytest.param(
            ("ECC_NIST_P521", ec.SECP521R1()),
            int(
                "00FAD06DAA62BA3B25D2FB40133DA757205DE67F5BB0018FEE8C86E1B68C7E75CA"
                "A896EB32F1F47C70855836A6D16FCC1466F6D8FBEC67DB89EC0C08B0E996B83538",
                16,
            ),
            "ECDSA_SHA_512",
            int(
                "00C328FAFCBD79DD77850370C46325D987CB525569FB63C5D3BC53950E6D4C5F17"
                "4E25A1EE9017B5D450606ADD152B534931D7D4E8455CC91F9B15BF05EC36E377FA",
                16,
            ),
            int(
                "00617CCE7CF5064806C467F678D3B4080D6F1CC50AF26CA209417308281B68AF28"
                "2623EAA63E5B5C0723D8B8C37FF0777B1A20F8CCB1DCCC43997F1EE0E44DA4A67A",
                16,
            ),
            id="RFC 6979, A.2.7",
        ),
    ],
)
def test_seeded_signatures_are_those_of_the_standard(curve, scalar, algorithm, r, s):
    spec, group = curve
    secret = ec.derive_private_key(scalar, group).private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    with mock_kms(seed=7) as kms:
        client = kms.client()
        key = client.create_key(KeySpec=spec, KeyUsage="SIGN_VERIFY", Origin="EXTERNAL")
        key_id = key["KeyMetadata"]["KeyId"]
        kms.import_material(key_id, secret)
        signature = client.sign(KeyId=key_id, Message=b"sample", SigningAlgorithm=algorithm)

    assert utils.decode_dss_signature(signature["Signature"]) == (r, s)


def test_the_command_line_seeds_all_mocks_of_a_run(pytester):
    pytester.makepyfile(
        """
        seen = []

        def test_one(kms_key):
            seen.append(kms_key.id)

        def test_two(kms_key):
            assert [kms_key.id] == seen
        """
    )

    result = pytester.runpytest("--kms-seed", "7")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["kmsmock: *, seed '7'"])
