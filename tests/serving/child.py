"""A program without an SDK that finds KMS by its environment, and calls it once.

It prints the status and the body of the response. It imports next to nothing, so that it takes only
some hundredths of a second when it is started as ``python -S -E``.
"""

import os
import socket
import sys

OPERATION = "GenerateRandom"
REQUEST = """\
POST / HTTP/1.1\r
Host: {host}\r
Connection: close\r
Content-Type: application/x-amz-json-1.1\r
X-Amz-Target: TrentService.{operation}\r
Authorization: AWS4-HMAC-SHA256 Credential={key}/20260101/{region}/kms/aws4_request, \
SignedHeaders=host, Signature=0\r
Content-Length: {length}\r
\r
{body}"""


def call(operation: str = OPERATION, body: str = '{"NumberOfBytes": 8}') -> str:
    """Send a request to KMS; return status and body, with a space between."""
    host = os.environ["AWS_ENDPOINT_URL_KMS"].partition("//")[2]
    name, _, port = host.partition(":")
    request = REQUEST.format(
        host=host,
        operation=operation,
        key=os.environ["AWS_ACCESS_KEY_ID"],
        region=os.environ["AWS_REGION"],
        length=len(body),
        body=body,
    )
    with socket.create_connection((name, int(port)), timeout=20) as connection:
        connection.sendall(request.encode())
        received = b""
        while part := connection.recv(65536):
            received += part
    head, _, answer = received.decode().partition("\r\n\r\n")
    return f"{head.split()[1]} {answer}"


if __name__ == "__main__":
    print(call(*sys.argv[1:]))
