"""The format of worlds, version 1: a table of members for each kind of object.

Names are AWS's, in snake_case. What is added to keys, grants or principals gets a line here, one
where `kmsmock.worlds.loading` builds it, and one where `kmsmock.worlds.exporting` describes it.
"""
