"""What holds for the whole process: active mocks, watchers, the running test, the block."""
