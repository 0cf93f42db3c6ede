"""Questions above the dispatcher: explanations, least privilege, policies in files."""
