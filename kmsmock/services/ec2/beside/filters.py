"""The filters of requests by what the other mock does not know: whether something is encrypted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kmsmock.services.store_filters import FilterForm, FilterValues

FILTERS = FilterForm("Filter.{}.Name", "Filter.{}.Value.{}")


def _is_encrypted(response: Mapping[str, Any]) -> list[str]:
    return ["true" if response.get("Encrypted") else "false"]


def _state(response: Mapping[str, Any]) -> list[str]:
    return [response.get("State", "")]


#: Of volumes and of snapshots.
FILTER_VALUES: FilterValues = {"encrypted": _is_encrypted, "status": _state}
