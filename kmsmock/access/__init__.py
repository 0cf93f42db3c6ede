"""Authorization of a request to the mock: the policies that apply, condition context, denial."""

from kmsmock.access import condition_keys  # noqa: F401 - declares them, for the whole package
