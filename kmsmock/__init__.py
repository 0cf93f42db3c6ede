"""An in-memory AWS KMS for tests: ``@mock_kms``, a pytest plugin, real cryptography.

Importing this package is cheap: botocore, boto3 and cryptography are only imported when
something needs them.
"""

from __future__ import annotations

import sys

import wrapt

from kmsmock.blocking import RealKMSBlocked
from kmsmock.mock import KMSMock, KMSMocker, current, mock_kms

__version__ = "0.1.0"
__all__ = ["KMSMock", "KMSMocker", "RealKMSBlocked", "current", "mock_kms"]


def _watch_botocore() -> None:
    """Install the interception as soon as anybody imports botocore, and not before."""
    late = "botocore.client" in sys.modules

    def install(module: object) -> None:  # noqa: ARG001 - called by wrapt
        from kmsmock import interception

        interception.install(late=late)

    wrapt.register_post_import_hook(install, "botocore.session")
    if late and "botocore.session" not in sys.modules:
        install(None)


_watch_botocore()
