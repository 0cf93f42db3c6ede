"""What RDS does with KMS for what it makes from another database, and for exports of snapshots.

Source: Amazon RDS API Reference, CreateDBInstanceReadReplica, RestoreDBInstanceToPointInTime,
RestoreDBClusterToPointInTime, CreateBlueGreenDeployment, StartExportTask; Amazon RDS User Guide,
"Encrypting Amazon RDS resources".
"""

from __future__ import annotations

from dataclasses import dataclass

from kmsmock.services.flows import Flow
from kmsmock.services.rds.errors import InvalidParameterCombination
from kmsmock.services.rds.kms_use.databases import CreateDatabase
from kmsmock.services.rds.kms_use.encryption import DatabaseEncryption
from kmsmock.services.rds.kms_use.keys import (
    SPECIFIED_KEY,
    create_target_grant,
    describe_target_key,
)
from kmsmock.services.rds.kms_use.kms_calls import Context, retire_grants
from kmsmock.services.registry import ServiceCall
from kmsmock.services.storage_keys import region_of


@dataclass(slots=True)
class DeriveDatabase(CreateDatabase):
    """A read replica, a copy of a database at a point in time, or its green counterpart.

    resource_id: of the new database. encryption: of the new database.
    """

    #: The encryption of the database that it is made from; None when that is not encrypted.
    source: DatabaseEncryption | None = None

    def find_key(self) -> str | None:
        """Return the requested key; usually that of the source.

        Raises InvalidParameterCombination for a key of a database that cannot be encrypted, since
        its source is not, and without a key for an encrypted read replica in another Region.
        """
        key: str | None = self.call.parameters.get("KmsKeyId")
        if self.source is None:
            if key is not None:
                raise InvalidParameterCombination(
                    f"KmsKeyId cannot be specified for a {self.kind.label} whose source is not "
                    "encrypted.",
                    explanation="Encrypt a copy of a snapshot of the source (CopyDBSnapshot with "
                    "KmsKeyId), and restore that.",
                )
            return None
        if key is None and region_of(self.source.key_arn) != self.call.region:
            raise InvalidParameterCombination(
                "Cannot create a cross region unencrypted read replica from encrypted source.",
                explanation=f"Name a key of {self.call.region} as KmsKeyId.",
            )
        return key or self.source.key_arn


@dataclass(slots=True)
class ExportSnapshot(Flow):
    """StartExportTask, which encrypts what it stores in Amazon S3.

    Differs from AWS: the encryption context of its grant is not known; here it has that of the
    database, and is retired when the export is complete.
    """

    call: ServiceCall
    #: That of the snapshot's database.
    context: Context
    #: The ARN of the KMS key, which `request` sets.
    key_arn: str = ""

    def request(self) -> None:
        """Describe the key and create a grant on it, as the caller."""
        key = self.call.parameters["KmsKeyId"]
        self.key_arn = describe_target_key(self.call, SPECIFIED_KEY, key)
        grant = create_target_grant(self.call, SPECIFIED_KEY, key, self.key_arn, self.context)
        retire_grants(self.call.backend, self.call.now, [grant])
