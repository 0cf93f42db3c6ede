"""``python -m kmsmock``."""

import sys

from kmsmock.cli import main

sys.exit(main())
