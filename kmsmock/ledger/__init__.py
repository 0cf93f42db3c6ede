"""The records of calls, and what is computed from them: usage, costs, plaintexts handed out."""
