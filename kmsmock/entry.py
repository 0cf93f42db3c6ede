"""The pytest11 entry point: loads the pytest plugin under its module name, kmsmock.plugin.

So ``pytest_plugins = ["kmsmock.plugin"]`` does not load it a second time where this package is
installed, and loads it where it is not. ``-p no:kmsmock`` disables the entry point.
"""

pytest_plugins = ["kmsmock.plugin"]
