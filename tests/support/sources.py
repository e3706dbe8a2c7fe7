"""The project's own files, for tests that read them.

Next: tests.project.test_structure
"""

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("schemas", "sinks", "ingest", "aggregators", "query_service", "deploy")


def sources(*tops):
    """Files tracked or about to be, of these top folders."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "--", *tops],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    return [ROOT / name for name in listed if (ROOT / name).is_file()]
