"""The clock of a mock, how long things take, and when Python collects no garbage."""
