"""What one mock holds: the backend, scheduled work, faults, checkpoints."""
