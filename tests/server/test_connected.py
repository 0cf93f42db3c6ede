"""`kmsmock.connect` with a server of its own process."""

from __future__ import annotations

import kmsmock
from tests.server.processes import Served


def test_a_served_mock_is_used_as_one_of_this_process(server: Served) -> None:
    with kmsmock.connect(f"{server.url}/") as kms:
        key = kms.client().create_key()["KeyMetadata"]["KeyId"]
        role = kms.account("111122223333").role("App")

        assert key in [found.key_id for found in kms.keys]
        assert role.client("sts").get_caller_identity()["Arn"] == role.caller_arn
        kms.calls.assert_called("CreateKey", key=key)
