"""Users, roles, groups and accounts of one mock: policies, credentials, sessions."""
