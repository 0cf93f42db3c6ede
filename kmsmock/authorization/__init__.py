"""The policy language of AWS, free of keys and of clients."""
