"""Reports for tests, made by hand."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import Decimal

from kmsmock.reports.report import (
    CallRow,
    KeyRecord,
    Lane,
    OperationTally,
    Permission,
    Refusal,
    Report,
    Scene,
    SpecTally,
    StateChange,
    Tally,
    TestTally,
)

START = datetime(2030, 1, 1, tzinfo=timezone.utc)
KEYS = "arn:aws:kms:us-east-1:123456789012:key/"
ORDERS, RECEIPTS = f"{KEYS}11111111-2222", f"{KEYS}99999999-8888"
ROLE, USER = "arn:aws:iam::123456789012:role/App", "arn:aws:iam::123456789012:user/Eve"
TEST = "shop/test_orders.py::TestOrders::test_it"
DENIED = "AccessDeniedException"


def make_report(calls: int = 20, name: str = "alias/orders") -> Report:
    """Make a report of a test that used one of its two keys. The last call was denied."""
    rows = [CallRow(n * 1000, "Encrypt", ORDERS, ROLE, "ok", TEST) for n in range(calls)]
    rows[-1] = rows[-1]._replace(outcome=DENIED)
    tally = Tally(calls, 1, 0, Decimal("0.000003") * (calls - 1))
    scene = Scene(
        TEST,
        TEST,
        START,
        START + timedelta(days=1),
        lanes=[Lane(ORDERS, [StateChange(0, 0, "Enabled"), StateChange(9000, 9, "Disabled")])],
        calls=rows,
        permissions=[
            Permission(ORDERS, ROLE, "kms:Encrypt", "no", "nothing allows it", calls - 1, 1),
            Permission(ORDERS, ROLE, "kms:DescribeKey", "yes", "a policy allows it", 0, 0),
            Permission(ORDERS, USER, "kms:Encrypt", "with context", "with a tenant", 0, 0),
            Permission(RECEIPTS, USER, "kms:Sign", "yes", "a grant allows it", 0, 0),
            Permission(RECEIPTS, USER, "kms:DescribeKey", "yes", "a policy allows it", 0, 0),
        ],
    )
    orders = KeyRecord(
        *(scene.mock, ORDERS, TEST, "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", "AWS_KMS"),
        *("CUSTOMER", START),
        aliases=[name],
        state="Disabled",
        used=True,
        tally=tally,
        storage=Decimal("1.5"),
    )
    receipts = KeyRecord(
        *(scene.mock, RECEIPTS, TEST, "RSA_2048", "SIGN_VERIFY", "AWS_KMS", "CUSTOMER", START),
        aliases=["alias/receipts"],
        state="Enabled",
        storage=Decimal("0.5"),
    )
    refusal = Refusal(
        TEST, "Encrypt", ROLE, ORDERS, DENIED, "User: ...", f"nothing allows it {name}", "the why"
    )
    return Report(
        made=START,
        tests_run=1,
        total=tally,
        storage=Decimal(2),
        operations={"Encrypt": OperationTally(calls, 1, 0, tally.cost)},
        tests={TEST: TestTally(calls, 1, 0, tally.cost, outcome="passed")},
        specs={"SYMMETRIC_DEFAULT": SpecTally(calls, 1, keys=1), "RSA_2048": SpecTally(keys=1)},
        keys=[orders, receipts],
        refusals=[refusal],
        scenes=[scene],
    )
