"""Answers calls: reads one a line as JSON, and prints what aioboto3 has returned or raised.

Bytes are {"bytes": base64} in calls, and Base64 in answers.
"""

import asyncio
import base64
import json
import sys

import aioboto3
from botocore import xform_name
from botocore.exceptions import ClientError


def read_bytes(value):
    return base64.b64decode(value["bytes"]) if value.keys() == {"bytes"} else value


def write_value(value):
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value.isoformat()


async def answer(call):
    names = {
        "aws_access_key_id": "AccessKeyId",
        "aws_secret_access_key": "SecretAccessKey",
        "aws_session_token": "SessionToken",
    }
    found = call["credentials"] or {}
    credentials = {name: found.get(member) for name, member in names.items()}
    async with aioboto3.Session(**credentials).client(call["service"]) as client:
        try:
            return {
                "output": await getattr(client, xform_name(call["operation"]))(**call["parameters"])
            }
        except ClientError as error:
            types = [each.__name__ for each in type(error).__mro__]
            return {
                "code": error.response["Error"]["Code"],
                "message": error.response["Error"]["Message"],
                "types": types[: types.index("ClientError") + 1],
            }


for line in sys.stdin:
    answered = asyncio.run(answer(json.loads(line, object_hook=read_bytes)))
    print(json.dumps(answered, default=write_value), flush=True)
