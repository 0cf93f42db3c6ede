"""Tell wrong use at once: misspelt names with the nearest one, wrong values with what is expected.

Every package may use it. It imports nothing slow before something is wrong.
"""
