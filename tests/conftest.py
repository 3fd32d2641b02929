"""For every test: quiet threads, so that suites beside each other do not wait in turns."""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "passive")
