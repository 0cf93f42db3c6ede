"""Reports of a test run: what its mocks did, in a terminal, as JSON, and as a page to look at."""
