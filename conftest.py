"""Settings for tests: databases, keys and caches of their own, never those of a running cluster."""

import os
import tempfile

os.environ.setdefault("KUBEWEB_DATA_DIR", tempfile.mkdtemp(prefix="kubeweb-test-"))
