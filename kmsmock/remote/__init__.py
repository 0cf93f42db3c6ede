"""The control object of a mock in another process: `connect`, and what answers it there."""
