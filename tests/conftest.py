"""What every test shares: one thread each, since two run at a time."""

import os

# Before torch is imported anywhere; `make test` sets the same.
os.environ.setdefault("OMP_NUM_THREADS", "1")
