"""Policy coverage: what the policies of a run have decided, and what tests would notice."""
