"""The durable state of a mock: its objects as rows of an SQLite file, written when they change."""
