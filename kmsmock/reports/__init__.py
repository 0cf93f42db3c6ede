"""Reports of a test run, in the terminal, as JSON and as an HTML page."""
