"""Mutants that no test can notice, each with the reason.

File -> (function, code before, code after) -> why its behaviour is the same.
"""

from __future__ import annotations

EQUIVALENTS: dict[str, dict[tuple[str, str, str], str]] = {}
