"""Analysis of policies and calls: explain, least privilege, policies in files."""
