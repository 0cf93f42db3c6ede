"""One world for all workers of pytest-xdist: the controller has it, and each test an account."""
