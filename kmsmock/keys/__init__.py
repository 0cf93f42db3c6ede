"""What a KMS key is: specs, key material, states, and where keys live."""
