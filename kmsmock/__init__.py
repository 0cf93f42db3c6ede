"""An in-memory AWS KMS for tests: ``@mock_kms``, a pytest plugin, real cryptography.

Importing this package is fast: its modules, botocore, boto3 and cryptography are imported when they
are first used.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kmsmock.accounts import Account, Principal
    from kmsmock.activation.key_factory import KmsKey, KmsKeyFactory
    from kmsmock.authorization.decision import Decision
    from kmsmock.control import KMSMock, current
    from kmsmock.ledger.call_record import Call
    from kmsmock.ledger.costs import Costs
    from kmsmock.mock import KMSMocker, mock_kms
    from kmsmock.process.real_aws_block import RealAWSBlocked, RealKMSBlocked
    from kmsmock.remote.connecting import connect
    from kmsmock.serving.server import KmsServer
    from kmsmock.state.checkpoints import Checkpoint
    from kmsmock.worlds.errors import WorldError

__version__ = "0.1.0"
__all__ = [
    "Account",
    "Call",
    "Checkpoint",
    "Costs",
    "Decision",
    "KMSMock",
    "KMSMocker",
    "KmsKey",
    "KmsKeyFactory",
    "KmsServer",
    "Principal",
    "RealAWSBlocked",
    "RealKMSBlocked",
    "WorldError",
    "connect",
    "current",
    "mock_kms",
]

#: Public name -> its module, which is imported when the name is first used.
_MODULES = {
    "Account": "kmsmock.accounts",
    "Call": "kmsmock.ledger.call_record",
    "Checkpoint": "kmsmock.state.checkpoints",
    "Costs": "kmsmock.ledger.costs",
    "Decision": "kmsmock.authorization.decision",
    "KMSMock": "kmsmock.control",
    "KMSMocker": "kmsmock.mock",
    "KmsKey": "kmsmock.activation.key_factory",
    "KmsKeyFactory": "kmsmock.activation.key_factory",
    "KmsServer": "kmsmock.serving.server",
    "Principal": "kmsmock.accounts",
    "RealAWSBlocked": "kmsmock.process.real_aws_block",
    "RealKMSBlocked": "kmsmock.process.real_aws_block",
    "WorldError": "kmsmock.worlds.errors",
    "connect": "kmsmock.remote.connecting",
    "current": "kmsmock.control",
    "mock_kms": "kmsmock.mock",
}


def __getattr__(name: str) -> Any:
    module = _MODULES.get(name)
    if module is None:
        from kmsmock.misuse.suggestions import did_you_mean

        hint = "" if name.startswith("_") else did_you_mean(name, __all__)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}{hint}")
    value = globals()[name] = getattr(import_module(module), name)
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]


class _BotocoreWatch:
    """A finder on sys.meta_path that detects the import of botocore; it finds no modules.

    wrapt is only imported then, since its import takes longer than all other work of an idle
    plugin. If botocore is imported already, neither is needed.
    """

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> None:  # noqa: ARG004
        """Register a hook that installs the interception after botocore is imported."""
        if name == "botocore":
            sys.meta_path.remove(_BotocoreWatch)
            _install_after_import(late=False)


def _install(*, late: bool) -> None:
    # By its full name: if a test has removed the modules from sys.modules, they are imported again.
    from kmsmock.interception import install

    install(late=late)


def _install_after_import(*, late: bool) -> None:
    import wrapt

    wrapt.register_post_import_hook(lambda _: _install(late=late), "botocore.session")


if "botocore.session" in sys.modules:
    _install(late=True)
elif "botocore" in sys.modules:
    _install_after_import(late=True)
else:
    sys.meta_path.insert(0, _BotocoreWatch)
