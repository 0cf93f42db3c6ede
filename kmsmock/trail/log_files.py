"""Log files as CloudTrail delivers them to a bucket.

Source: AWS CloudTrail User Guide, "Finding your CloudTrail log files".
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

from kmsmock.timing.dates import add_or_last, format_time
from kmsmock.trail.log_entries import Entry
from kmsmock.trail.record import Record

#: CloudTrail delivers log files about every five minutes.
_MINUTES = 5
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def write_log_files(
    folder: Path, delivered: Iterable[tuple[Entry, Record]], prefix: str = ""
) -> list[Path]:
    """Write log files as in an S3 bucket; return their paths.

    One file for each account, Region and five minutes: ``[prefix/]AWSLogs/<account>/CloudTrail/
    <Region>/YYYY/MM/DD/<account>_CloudTrail_<Region>_<time>_<unique text>.json.gz``.
    """
    batches: dict[tuple[str, str, datetime], list[Record]] = {}
    for entry, record in delivered:
        batch = (entry.account, entry.region, _delivery_time(entry.at))
        batches.setdefault(batch, []).append(record)
    root = folder / prefix / "AWSLogs" if prefix else folder / "AWSLogs"
    return [_write(root, *batch, records) for batch, records in batches.items()]


def _delivery_time(at: datetime) -> datetime:
    minutes = at.minute - at.minute % _MINUTES + _MINUTES
    hour = at.replace(minute=0, second=0, microsecond=0)
    return add_or_last(hour, timedelta(minutes=minutes))


def _write(root: Path, account: str, region: str, time: datetime, records: list[Record]) -> Path:
    content = json.dumps({"Records": records}, separators=(",", ":")).encode()
    date, clock = format_time(time).split("T")
    year, month, day = date.split("-")
    hour, minute, _ = clock.split(":")
    delivered = f"{year}{month}{day}T{hour}{minute}Z"
    name = f"{account}_CloudTrail_{region}_{delivered}_{_unique(content)}.json.gz"
    folder = root / account / "CloudTrail" / region / year / month / day
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    # Without a timestamp in the gzip header, so that equal records result in equal files.
    path.write_bytes(gzip.compress(content, mtime=0))
    return path


def _unique(content: bytes) -> str:
    digest = hashlib.blake2b(content, digest_size=16).digest()
    return "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in digest)
