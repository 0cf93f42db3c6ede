"""An in-memory AWS KMS for tests: ``@mock_kms``, a pytest plugin, real cryptography.

Importing this package costs next to nothing: its modules, botocore, boto3 and cryptography are
only imported when something needs them.
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
    from kmsmock.process.real_kms_block import RealKMSBlocked
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
    "Principal",
    "RealKMSBlocked",
    "WorldError",
    "current",
    "mock_kms",
]

#: What is imported when it is first used -> the module that it is in.
_HOMES = {
    "Account": "kmsmock.accounts",
    "Call": "kmsmock.ledger.call_record",
    "Checkpoint": "kmsmock.state.checkpoints",
    "Costs": "kmsmock.ledger.costs",
    "Decision": "kmsmock.authorization.decision",
    "KMSMock": "kmsmock.control",
    "KMSMocker": "kmsmock.mock",
    "KmsKey": "kmsmock.activation.key_factory",
    "KmsKeyFactory": "kmsmock.activation.key_factory",
    "Principal": "kmsmock.accounts",
    "RealKMSBlocked": "kmsmock.process.real_kms_block",
    "WorldError": "kmsmock.worlds.errors",
    "current": "kmsmock.control",
    "mock_kms": "kmsmock.mock",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(home), name)
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]


class _BotocoreWatch:
    """Notices that somebody is about to import botocore; finds nothing itself.

    wrapt is only imported then: it takes longer than all else that an idle plugin does. Where
    botocore has been imported already, nothing has to be noticed, and wrapt is not needed.
    """

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> None:  # noqa: ARG004
        """Ask wrapt to install the interception once botocore is there."""
        if name == "botocore":
            sys.meta_path.remove(_BotocoreWatch)
            _install_after_import(late=False)


def _install(*, late: bool) -> None:
    # By its full name: where botocore was unloaded, this module was too, and is loaded again.
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
