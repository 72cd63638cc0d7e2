"""``python -m crossdeps``."""

import sys

from crossdeps.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
