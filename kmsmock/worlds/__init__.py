"""Worlds in files: the state of a mock as a document, written and read."""
