"""The KMS side of services whose storage something else answers."""
