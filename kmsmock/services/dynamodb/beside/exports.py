"""Exports of tables to S3, whose objects are encrypted as the request or the bucket says.

Source: Amazon DynamoDB API Reference, "ExportTableToPointInTime" and "ExportDescription"; Developer
Guide, "Requesting a table export in DynamoDB", by which the objects are written with the
permissions of the caller.
"""

from __future__ import annotations

from collections.abc import Mapping

from kmsmock.services.beside import BesideHandler, Steps
from kmsmock.services.dynamodb.kms_use import (
    current_key,
    decrypt_table_key,
    encrypt_export,
    require_accessible,
)
from kmsmock.services.dynamodb.state import tables_of
from kmsmock.services.registry import ServiceCall

#: The members of a description that are as in the request.
_REQUESTED = ("S3SseAlgorithm", "S3SseKmsKeyId")


def _export(call: ServiceCall) -> Steps:
    parameters, arn = call.parameters, call.parameters["TableArn"]
    require_accessible(call, arn)
    key = current_key(call, arn)
    if key is not None:
        decrypt_table_key(call, arn, key)
    answer = yield
    description = answer["ExportDescription"]
    members = {name: parameters[name] for name in _REQUESTED if name in parameters}
    description.update(members)
    refusal = encrypt_export(call, description["ExportArn"])
    if refusal is not None:
        # DynamoDB writes the objects after it has answered.
        members["ExportStatus"] = "FAILED"
        members["FailureCode"] = f"S3{refusal.code}"
        members["FailureMessage"] = refusal.message
    tables_of(call).exports[description["ExportArn"]] = members


def _describe_export(call: ServiceCall) -> Steps:
    answer = yield
    description = answer["ExportDescription"]
    description.update(tables_of(call).exports.get(description["ExportArn"], {}))


OPERATIONS: Mapping[str, BesideHandler] = {
    "ExportTableToPointInTime": _export,
    "DescribeExport": _describe_export,
}
