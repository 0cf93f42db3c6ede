"""Worlds in files: all that one mock holds, written down to be read again."""
