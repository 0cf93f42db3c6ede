"""The pytest11 entry point: loads the plugin under the name of its module.

So ``pytest_plugins = ["kmsmock.plugin"]`` finds it loaded where this package is installed, and
loads it where it is not; ``-p no:kmsmock`` leaves the entry point out.
"""

pytest_plugins = ["kmsmock.plugin"]
