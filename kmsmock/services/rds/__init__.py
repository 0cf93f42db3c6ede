"""Amazon RDS, as far as encrypted databases and their snapshots go."""
