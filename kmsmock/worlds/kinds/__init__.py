"""The kinds of values that a world is made of: each reads, writes and describes itself.

Reading gives the plain values that `kmsmock.worlds.format` speaks of: texts, numbers, aware
datetimes, bytes, tuples and dictionaries. It raises `WorldError` for anything else.
"""
