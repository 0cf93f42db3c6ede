"""Event notifications to encrypted queues: S3 must be allowed to use the keys of the queues."""

from __future__ import annotations

from collections.abc import Mapping

from kmsmock.services.beside import BesideHandler, Steps
from kmsmock.services.registry import ServiceCall
from kmsmock.services.s3.kms_use import require_usable_queue_key


def _put_configuration(call: ServiceCall) -> Steps:
    if not call.parameters.get("SkipDestinationValidation", False):
        configuration = call.parameters["NotificationConfiguration"]
        for queue in configuration.get("QueueConfigurations", ()):
            require_usable_queue_key(call, queue["QueueArn"])
    yield


OPERATIONS: Mapping[str, BesideHandler] = {"PutBucketNotificationConfiguration": _put_configuration}
