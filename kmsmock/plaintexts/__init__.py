"""Looking for values in places, in all forms in which they can turn up."""
