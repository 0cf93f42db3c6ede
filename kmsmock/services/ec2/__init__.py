"""Amazon EC2, as far as the volumes, snapshots and images of Amazon EBS go."""
