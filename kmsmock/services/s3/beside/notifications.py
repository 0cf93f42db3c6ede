"""Queues that buckets notify, as far as S3 needs their keys.

Source: Amazon S3 User Guide, "Granting permissions to publish event notification messages to a
destination".
"""

from __future__ import annotations

from collections.abc import Mapping

from kmsmock.aws.arns import Arn
from kmsmock.aws.errors import ServiceError
from kmsmock.services.beside import BesideHandler, Steps
from kmsmock.services.kms_caller import KmsCaller
from kmsmock.services.kms_errors import CodedError
from kmsmock.services.registry import ServiceCall
from kmsmock.services.s3.state import bucket_arn
from kmsmock.services.sqs.kms_use import generate_data_key, key_of

_SERVICE = "s3.amazonaws.com"


def _put_configuration(call: ServiceCall) -> Steps:
    if not call.parameters.get("SkipDestinationValidation", False):
        configuration = call.parameters["NotificationConfiguration"]
        for queue in configuration.get("QueueConfigurations", ()):
            _require_usable(call, queue["QueueArn"])
    yield


def _require_usable(call: ServiceCall, queue: str) -> None:
    """Require that S3 itself may encrypt messages for a queue: it puts one there at once."""
    key_id = key_of(call.backend, queue)
    if key_id is None:
        return
    sender = KmsCaller.as_service(
        call.backend,
        _SERVICE,
        Arn.of(queue).region,
        source_arn=bucket_arn(call, call.parameters["Bucket"]),
        source_account=call.account,
    )
    try:
        generate_data_key(sender, queue, key_id)
    except ServiceError as error:
        raise CodedError(
            "InvalidArgument",
            "Unable to validate the following destination configurations",
            explanation=f"S3 cannot encrypt messages for {queue}. {error}\n"
            f"{error.explanation or ''}".strip(),
        ) from None


OPERATIONS: Mapping[str, BesideHandler] = {"PutBucketNotificationConfiguration": _put_configuration}
