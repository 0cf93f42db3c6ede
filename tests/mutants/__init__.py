"""Whether the tests would notice a fault: changed code, and the tests that run it.

``python -m tests.mutants`` changes single expressions and statements of the package, one at a time
in a process of its own, and runs the tests that run the changed line. CONTRIBUTING.md, "How to see
that tests would notice", has more.
"""
