"""KMS keys: key specs, key material, key states, and the Regions that keep them."""
