"""State of the whole process: active mocks, watchers, the running test, the real-KMS block."""
