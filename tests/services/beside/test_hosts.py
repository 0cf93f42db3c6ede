"""What a service does with KMS is the same, whoever stores: kmsmock itself, or moto beside it."""

from __future__ import annotations

from types import ModuleType

import pytest

from tests.services.beside import hosts_ec2, hosts_rds
from tests.services.beside.hosts import Row, outcome_of

SERVICES = (hosts_ec2, hosts_rds)
ROWS = [
    pytest.param(service, row, id=f"{service.SERVICE}-{row}")
    for service in SERVICES
    for row in service.ROWS
]


@pytest.mark.parametrize(("service", "row"), ROWS)
def test_both_hosts_make_the_same_calls_of_kms(service: ModuleType, row: Row) -> None:
    here = outcome_of(row, service.HOST, stores=True)

    assert tuple(call["operation"] for call in here.calls) == row.calls
    assert (here.error or {}).get("Code") == row.error
    assert outcome_of(row, service.HOST, stores=False) == here


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.SERVICE)
def test_each_operation_is_compared_or_left_out_with_a_reason(service: ModuleType) -> None:
    compared = {row.operation for row in service.ROWS}

    assert compared | service.LEFT_OUT.keys() == service.ANSWERED
    assert not compared & service.LEFT_OUT.keys()
