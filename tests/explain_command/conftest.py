"""Run ``kmsmock explain``."""

from __future__ import annotations

import json

import pytest

from kmsmock import cli
from tests.output import capture


@pytest.fixture
def explain(tmp_path):
    def run(request, *, grants=None, **policies):
        def file(name, content):
            path = tmp_path / name
            path.write_text(content if isinstance(content, str) else json.dumps(content))
            return str(path)

        arguments = ["explain", file("request.json", request)]
        for name, content in policies.items():
            arguments += [f"--{name.replace('_', '-')}", file(name, content)]
        if grants is not None:
            arguments += ["--grants", file("grants.json", grants)]
        code, output, errors = capture(cli.main, arguments)
        return code, output + errors

    return run
