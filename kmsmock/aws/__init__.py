"""AWS's own words: what AWS tabulates, as data that every other package may read."""
