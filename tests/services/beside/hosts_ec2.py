"""The operations of EC2, in situations in which they use KMS and in which they do not."""

from __future__ import annotations

from kmsmock.services.ec2.answered import OPERATIONS
from kmsmock.services.ec2.beside import BESIDE
from tests.models import has_operation
from tests.services.beside.ec2_host import (
    PERMISSION,
    Host,
    attached,
    by_default,
    default_snapshot,
    denied,
    failed_copy,
    lost_volume,
    nothing,
    plain_snapshot,
    to_attach,
)
from tests.services.beside.hosts import Row

SERVICE, HOST = "ec2", Host
ANSWERED = OPERATIONS.keys() | BESIDE.operations.keys()
_NOT_OF_MOTO = "moto does not implement it, and it does not use KMS"
#: Operation -> why its calls are not compared.
LEFT_OUT = {
    **dict.fromkeys(BESIDE.operations.keys() - OPERATIONS.keys(), "kmsmock does not answer it"),
    "DisableSnapshotBlockPublicAccess": _NOT_OF_MOTO,
    "EnableSnapshotBlockPublicAccess": _NOT_OF_MOTO,
    "GetSnapshotBlockPublicAccessState": _NOT_OF_MOTO,
    "ResetSnapshotAttribute": _NOT_OF_MOTO,
}
if not has_operation("ec2", "CopyVolumes"):
    LEFT_OUT["CopyVolumes"] = "the installed botocore does not have it"
#: What the calls are that make a data key for a volume, or copy a snapshot that is encrypted.
MADE = ("GenerateDataKeyWithoutPlaintext", "CreateGrant", "Decrypt", "RetireGrant")
COPIED = (
    *("GenerateDataKeyWithoutPlaintext", "CreateGrant", "CreateGrant"),
    *("Decrypt", "Decrypt", "RetireGrant", "RetireGrant"),
)
LOOKED = ("DescribeKey",)


def copy_under_other(host: Host, snapshot: str) -> str:
    return host.copy(snapshot, Encrypted=True, KmsKeyId=host.other)


def copy_image_under_other(host: Host, image: str) -> str:
    return host.copy_image(image, Encrypted=True, KmsKeyId=host.other)


def modify_default_key(host: Host, _: None) -> object:
    return host.ec2.modify_ebs_default_kms_key_id(KmsKeyId=host.other)


def _copies_of_volumes() -> list[Row]:
    """Return the rows of CopyVolumes, which older versions of botocore do not have."""
    if "CopyVolumes" in LEFT_OUT:
        return []
    re_encrypted = ("ReEncrypt", *MADE[:2], "Decrypt", *MADE[2:])
    return [
        Row("CopyVolumes", before, act, calls, case, error)
        for case, before, act, calls, error in [
            ("same key", Host.encrypted_volume, Host.copy_volume, ("ReEncrypt",), None),
            (
                "without its encryption",
                Host.encrypted_volume,
                lambda h, v: h.copy_volume(v, Encrypted=False),
                ("ReEncrypt",),
                None,
            ),
            (
                "other key",
                Host.encrypted_volume,
                lambda h, v: h.copy_volume(v, Encrypted=True, KmsKeyId=h.other),
                re_encrypted,
                None,
            ),
            ("not encrypted", Host.volume, Host.copy_volume, (), None),
            (
                "to be encrypted",
                Host.volume,
                lambda h, v: h.copy_volume(v, Encrypted=True, KmsKeyId=h.key),
                MADE,
                None,
            ),
            ("by default", by_default(Host.volume), Host.copy_volume, MADE, None),
            (
                "no such volume",
                nothing,
                lambda h, _: h.copy_volume("vol-0123456789abcdef0"),
                (),
                "InvalidVolume.NotFound",
            ),
            ("volume without its key", lost_volume, Host.copy_volume, (), "InvalidVolume.NotFound"),
        ]
    ]


ROWS = [
    *[
        Row("CreateVolume", before, act, calls, case)
        for case, before, act, calls in [
            ("not encrypted", nothing, lambda h, _: h.volume(), ()),
            ("under a key", nothing, lambda h, _: h.encrypted_volume(), MADE),
            ("under the managed key", nothing, lambda h, _: h.volume(Encrypted=True), MADE),
            ("by default", by_default(nothing), lambda h, _: h.volume(), MADE),
            ("by default, own key", by_default(nothing, key=True), lambda h, _: h.volume(), MADE),
            ("own snapshot", Host.snapshot, lambda h, s: h.volume(SnapshotId=s), ("ReEncrypt",)),
            (
                "own snapshot, other key",
                Host.snapshot,
                lambda h, s: h.volume(SnapshotId=s, Encrypted=True, KmsKeyId=h.other),
                ("ReEncrypt", *MADE[:2], "Decrypt", *MADE[2:]),
            ),
            (
                "snapshot that is not encrypted",
                plain_snapshot,
                lambda h, s: h.volume(SnapshotId=s, Encrypted=True, KmsKeyId=h.key),
                MADE,
            ),
            (
                "grant denied",
                denied("kms:CreateGrant", nothing),
                lambda h, _: h.encrypted_volume(),
                MADE[:2],
            ),
            ("no such key", nothing, lambda h, _: h.volume(Encrypted=True, KmsKeyId="x"), MADE[:1]),
        ]
    ],
    Row(
        "CreateVolume",
        Host.snapshot,
        lambda h, s: h.volume(SnapshotId=s, Encrypted=False),
        (),
        "without the encryption of its snapshot",
        "InvalidParameterCombination",
    ),
    Row(
        "CreateVolume",
        failed_copy,
        lambda h, s: h.volume(SnapshotId=s),
        (),
        "copy that has failed",
        "IncorrectState",
    ),
    *_copies_of_volumes(),
    Row("CreateSnapshot", Host.encrypted_volume, Host.snapshot),
    *[
        Row(operation, lost_volume, act, (), "volume without its key", "InvalidVolume.NotFound")
        for operation, act in [
            ("CreateSnapshot", Host.snapshot),
            ("AttachVolume", lambda h, v: h.attach(v)),
            ("DeleteVolume", lambda h, v: h.ec2.delete_volume(VolumeId=v)),
            ("DescribeVolumes", lambda h, v: h.ec2.describe_volumes(VolumeIds=[v])),
        ]
    ],
    Row(
        "CreateSnapshots",
        attached,
        lambda h, a: h.ec2.create_snapshots(InstanceSpecification={"InstanceId": a[1]}),
    ),
    *[
        Row("CopySnapshot", before, act, calls, case)
        for case, before, act, calls in [
            ("not encrypted", plain_snapshot, Host.copy, ()),
            ("to be encrypted", plain_snapshot, copy_under_other, (*LOOKED, *MADE)),
            ("by default", by_default(plain_snapshot), Host.copy, (*LOOKED, *MADE)),
            ("the default key", Host.snapshot, Host.copy, (*LOOKED, *COPIED)),
            ("own default key", by_default(Host.snapshot, key=True), Host.copy, (*LOOKED, *COPIED)),
            ("other key", Host.snapshot, copy_under_other, (*LOOKED, *COPIED)),
            (
                "same key",
                Host.snapshot,
                lambda h, s: h.copy(s, Encrypted=True, KmsKeyId=h.key),
                (*LOOKED, *COPIED),
            ),
            ("a copy", lambda h: copy_under_other(h, h.snapshot()), Host.copy, (*LOOKED, *COPIED)),
            (
                "grant on the source denied",
                denied("kms:CreateGrant", Host.snapshot),
                copy_under_other,
                (*LOOKED, *COPIED[:3], "RetireGrant"),
            ),
        ]
    ],
    Row(
        "CopySnapshot",
        Host.snapshot,
        lambda h, s: h.copy(s, KmsKeyId=h.other),
        (),
        "a key without Encrypted",
        "InvalidParameterDependency",
    ),
    Row(
        "CopySnapshot",
        denied("kms:DescribeKey", Host.snapshot),
        lambda h, s: h.copy(s, Encrypted=True, KmsKeyId=h.key),
        LOOKED,
        "key not to be seen",
        "AuthFailure",
    ),
    Row("ModifySnapshotAttribute", Host.snapshot, Host.share, LOOKED, "own key"),
    Row("ModifySnapshotAttribute", plain_snapshot, Host.share, (), "not encrypted"),
    Row(
        "ModifySnapshotAttribute",
        default_snapshot,
        Host.share,
        LOOKED,
        "managed key",
        "OperationNotPermitted",
    ),
    Row(
        "ModifySnapshotAttribute",
        Host.snapshot,
        lambda h, s: h.share(s, "all"),
        LOOKED,
        "public",
        "OperationNotPermitted",
    ),
    Row("CopySnapshot", failed_copy, Host.copy, LOOKED, "copy that has failed"),
    Row("RegisterImage", Host.snapshot, Host.image),
    Row("RegisterImage", failed_copy, Host.image, (), "copy that has failed", "IncorrectState"),
    *[
        Row("CopyImage", before, act, calls, case)
        for case, before, act, calls in [
            ("not encrypted", lambda h: h.image(plain_snapshot(h)), Host.copy_image, ()),
            (
                "to be encrypted",
                lambda h: h.image(plain_snapshot(h)),
                copy_image_under_other,
                (*LOOKED, *MADE),
            ),
            ("the default key", Host.image, Host.copy_image, (*LOOKED, *COPIED)),
            ("other key", Host.image, copy_image_under_other, (*LOOKED, *COPIED)),
            (
                "grant on the source denied",
                denied("kms:CreateGrant", Host.image),
                copy_image_under_other,
                (*LOOKED, *COPIED[:3], "RetireGrant"),
            ),
            (
                "no such key",
                Host.image,
                lambda h, i: h.copy_image(i, Encrypted=True, KmsKeyId="x"),
                LOOKED,
            ),
        ]
    ],
    Row(
        "CopyImage",
        Host.image,
        lambda h, i: h.copy_image(i, Encrypted=False),
        (),
        "without its encryption",
        "InvalidRequest",
    ),
    Row("ModifyImageAttribute", Host.image, Host.share_image, LOOKED, "own key"),
    Row(
        "ModifyImageAttribute",
        lambda h: h.image(default_snapshot(h)),
        Host.share_image,
        LOOKED,
        "managed key",
        "InvalidParameter",
    ),
    Row(
        "ModifyImageAttribute",
        Host.image,
        lambda h, i: h.share_image(i, Group="all"),
        (),
        "public",
        "InvalidParameter",
    ),
    Row(
        "ModifyImageAttribute",
        Host.image,
        lambda h, i: h.ec2.modify_image_attribute(ImageId=i, Description={"Value": "new"}),
        (),
        "description",
    ),
    Row("AttachVolume", to_attach, lambda h, a: h.attach(*a), ("CreateGrant", "Decrypt")),
    Row(
        "AttachVolume",
        denied("kms:CreateGrant", to_attach),
        lambda h, a: h.attach(*a),
        ("CreateGrant",),
        "grant denied",
    ),
    Row(
        "AttachVolume",
        denied("kms:Decrypt", to_attach),
        lambda h, a: h.attach(*a),
        ("CreateGrant", "Decrypt", "RetireGrant"),
        "decryption denied",
    ),
    Row(
        "DetachVolume",
        attached,
        lambda h, a: h.ec2.detach_volume(VolumeId=a[0], InstanceId=a[1]),
        ("RetireGrant",),
    ),
    Row("ModifyEbsDefaultKmsKeyId", nothing, modify_default_key, LOOKED),
    Row(
        "ModifyEbsDefaultKmsKeyId",
        nothing,
        lambda h, _: h.ec2.modify_ebs_default_kms_key_id(KmsKeyId="x"),
        LOOKED,
        "no such key",
    ),
    Row(
        "ResetEbsDefaultKmsKeyId",
        by_default(nothing, key=True),
        lambda h, _: h.ec2.reset_ebs_default_kms_key_id(),
    ),
    Row(
        "GetEbsDefaultKmsKeyId",
        by_default(nothing, key=True),
        lambda h, _: h.ec2.get_ebs_default_kms_key_id(),
    ),
    Row(
        "EnableEbsEncryptionByDefault",
        nothing,
        lambda h, _: h.ec2.enable_ebs_encryption_by_default(),
    ),
    Row(
        "DisableEbsEncryptionByDefault",
        by_default(nothing),
        lambda h, _: h.ec2.disable_ebs_encryption_by_default(),
    ),
    Row(
        "GetEbsEncryptionByDefault",
        by_default(nothing),
        lambda h, _: h.ec2.get_ebs_encryption_by_default(),
    ),
    Row("DescribeVolumes", Host.encrypted_volume, lambda h, _: h.ec2.describe_volumes()),
    Row("DescribeSnapshots", Host.snapshot, lambda h, _: h.ec2.describe_snapshots()),
    Row("DescribeImages", Host.image, lambda h, _: h.ec2.describe_images()),
    Row(
        "DescribeSnapshotAttribute",
        Host.snapshot,
        lambda h, s: h.ec2.describe_snapshot_attribute(SnapshotId=s, Attribute=PERMISSION),
    ),
    Row(
        "DescribeImageAttribute",
        Host.image,
        lambda h, i: h.ec2.describe_image_attribute(ImageId=i, Attribute="launchPermission"),
    ),
    Row("DeleteVolume", Host.encrypted_volume, lambda h, v: h.ec2.delete_volume(VolumeId=v)),
    Row("DeleteSnapshot", Host.snapshot, lambda h, s: h.ec2.delete_snapshot(SnapshotId=s)),
    Row("DeregisterImage", Host.image, lambda h, i: h.ec2.deregister_image(ImageId=i)),
    Row(
        "CreateTags",
        Host.encrypted_volume,
        lambda h, v: h.ec2.create_tags(Resources=[v], Tags=[{"Key": "a", "Value": "b"}]),
    ),
    Row(
        "DeleteTags",
        Host.encrypted_volume,
        lambda h, v: h.ec2.delete_tags(Resources=[v], Tags=[{"Key": "a"}]),
    ),
    Row("DescribeTags", Host.encrypted_volume, lambda h, _: h.ec2.describe_tags()),
]
