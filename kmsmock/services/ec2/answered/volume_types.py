"""The volume types, and the size and performance of each.

Source: Amazon EBS User Guide, "Amazon EBS volume types".
"""

from __future__ import annotations

from dataclasses import dataclass

from kmsmock.services.ec2.errors import (
    InvalidParameterCombination,
    InvalidParameterValue,
    MissingParameter,
    UnknownVolumeType,
)


@dataclass(frozen=True, slots=True)
class VolumeType:
    """A volume type."""

    #: The smallest size in GiB.
    smallest: int
    #: The largest size in GiB.
    largest: int
    #: The smallest and largest IOPS that can be requested; None if none can.
    iops: tuple[int, int] | None = None
    #: The IOPS if none are requested.
    own_iops: int | None = None
    #: The smallest and largest throughput in MiB/s that can be requested; None if none can.
    throughput: tuple[int, int] | None = None
    #: The throughput in MiB/s if none is requested.
    own_throughput: int | None = None


VOLUME_TYPES = {
    "standard": VolumeType(1, 1_024),
    "gp2": VolumeType(1, 16_384, own_iops=100),
    "gp3": VolumeType(1, 65_536, (3_000, 80_000), 3_000, (125, 2_000), 125),
    "io1": VolumeType(4, 16_384, (100, 64_000)),
    "io2": VolumeType(4, 65_536, (100, 256_000)),
    "st1": VolumeType(125, 16_384),
    "sc1": VolumeType(125, 16_384),
}
_MULTI_ATTACH = ("io1", "io2")
#: The initialization rates that may be requested, in MiB/s.
_INITIALIZATION_RATES = range(100, 300 + 1)
#: IOPS of gp2 for each GiB, and the most.
_GP2_IOPS, _GP2_MOST = 3, 16_000


def require_type(name: str) -> VolumeType:
    """Find a type of volume."""
    volume_type = VOLUME_TYPES.get(name)
    if volume_type is None:
        raise UnknownVolumeType(f"Unsupported volume type '{name}' for volume creation.")
    return volume_type


def require_size(name: str, size: int) -> None:
    """Require a size in GiB that the type can have."""
    kind = require_type(name)
    if not kind.smallest <= size <= kind.largest:
        raise InvalidParameterValue(
            f"Volume size for volume type {name} must be between {kind.smallest} and "
            f"{kind.largest} GiB."
        )


def performance(
    name: str, size: int, iops: int | None, throughput: int | None
) -> tuple[int | None, int | None]:
    """Return IOPS and throughput (MiB/s) of a volume, as requested or as the type has them."""
    kind = require_type(name)
    if iops is None and kind.iops is not None and kind.own_iops is None:
        raise MissingParameter(f"The parameter iops must be specified for {name} volumes.")
    _require_range(name, "iops", iops, kind.iops)
    _require_range(name, "throughput", throughput, kind.throughput)
    own = kind.own_iops
    if name == "gp2":
        own = max(own or 0, min(_GP2_IOPS * size, _GP2_MOST))
    return iops or own, throughput or kind.own_throughput


def require_multi_attach(name: str) -> None:
    """Require a type that can be attached to more than one instance."""
    if name not in _MULTI_ATTACH:
        raise InvalidParameterCombination(
            f"The parameter MultiAttachEnabled is not supported for {name} volumes."
        )


def require_initialization_rate(rate: int, *, from_snapshot: bool) -> None:
    """Require a valid rate in MiB/s for the initialization of a volume from a snapshot."""
    if not from_snapshot:
        raise InvalidParameterCombination(
            "The parameter VolumeInitializationRate is supported only for volumes created from "
            "snapshots."
        )
    if rate not in _INITIALIZATION_RATES:
        raise InvalidParameterValue(
            f"Volume initialization rate of {rate} is not valid: it must be between "
            f"{_INITIALIZATION_RATES[0]} and {_INITIALIZATION_RATES[-1]} MiB/s."
        )


def _require_range(
    name: str, member: str, value: int | None, limits: tuple[int, int] | None
) -> None:
    if value is None:
        return
    if limits is None:
        raise InvalidParameterCombination(
            f"The parameter {member} is not supported for {name} volumes."
        )
    low, high = limits
    if not low <= value <= high:
        raise InvalidParameterValue(
            f"Volume {member} of {value} is not valid for {name} volumes: it must be between "
            f"{low} and {high}."
        )
