"""Signatures and key material as openssl sees them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

_PSS = ("-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest")


def run(folder: Path, *arguments: str) -> str:
    """Run openssl in a folder, and return what it prints."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    ran = subprocess.run(
        [openssl, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    return (ran.stdout + ran.stderr).strip()


def verify(
    folder: Path, algorithm: str, public_key: bytes, signature: bytes, message: bytes
) -> bool:
    """Return whether a signature is valid. algorithm: as Sign names it; public_key: in DER."""
    for name, content in (("key", public_key), ("signature", signature), ("message", message)):
        (folder / name).write_bytes(content)
    printed = run(
        folder,
        *("dgst", f"-sha{algorithm[-3:]}", "-keyform", "DER", "-verify", "key"),
        *(_PSS if "_PSS_" in algorithm else ()),
        *("-signature", "signature", "message"),
    )
    return printed == "Verified OK"
