"""From a request to its decision: the policies that apply, its condition context, its denial."""

from kmsmock.access import condition_keys  # noqa: F401 - declares them, for the whole package
