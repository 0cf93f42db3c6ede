"""What SNS does with KMS, with the identity of publishers.

Source: Amazon SNS Developer Guide, "Managing Amazon SNS encryption keys and costs".
"""

from __future__ import annotations

from kmsmock.aws.arns import Arn
from kmsmock.services.kms_caller import KmsCaller
from kmsmock.services.kms_errors import ErrorTemplate, ErrorTemplates
from kmsmock.services.registry import ServiceCall
from kmsmock.state.backend import Backend

_SERVICE = "sns.amazonaws.com"
ERRORS: ErrorTemplates = {
    "AccessDeniedException": ErrorTemplate("KMSAccessDenied"),
    "DisabledException": ErrorTemplate("KMSDisabled"),
    "NotFoundException": ErrorTemplate("KMSNotFound"),
    "OptInRequired": ErrorTemplate("KMSOptInRequired", status=403),
    "ThrottlingException": ErrorTemplate("KMSThrottling"),
    "*": ErrorTemplate("KMSInvalidState"),
}


def generate_data_key(call: ServiceCall, arn: str, key_id: str) -> None:
    """Generate a data key for messages of a topic, and decrypt it once to verify it.

    arn: of the topic. Raises the errors of KMS.
    """
    kms = KmsCaller.forwarded(call, "sns", Arn.of(arn).region)
    context = {"aws:sns:topicArn": arn}
    answer = kms.call("GenerateDataKey", KeyId=key_id, KeySpec="AES_256", EncryptionContext=context)
    kms.call("Decrypt", CiphertextBlob=answer["CiphertextBlob"], EncryptionContext=context)


def as_service(backend: Backend, region: str, topic: str | None) -> KmsCaller:
    """Call KMS as SNS itself, which delivers messages of a topic. topic: its ARN."""
    return KmsCaller.as_service(backend, _SERVICE, region, source_arn=topic)
