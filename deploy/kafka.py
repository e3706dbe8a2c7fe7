"""A real Apache Kafka of one node (KRaft) on 127.0.0.1, its data in one directory.

What is acknowledged survives `kill -9`; topics are made by `deploy.topics`, never by a first use.

Next: deploy.topics
"""

import argparse
import base64
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import IO

from deploy import jars, ports

DEFAULT_PORT = 9092
START_SECONDS = 90
STOP_SECONDS = 30

# Paths are relative to the data directory, where java runs: no path needs quoting, and the
# directory may be moved. Static voters, not the quorum's own list, so that ports may change too.
PROPERTIES = """\
node.id=1
process.roles=broker,controller
controller.quorum.voters=1@127.0.0.1:{controller_port}
listeners=BROKER://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=BROKER://127.0.0.1:{port}
listener.security.protocol.map=BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=BROKER
controller.listener.names=CONTROLLER
log.dirs=log
auto.create.topics.enable=false
default.replication.factor=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
# What groups committed is compacted by whole segments, and read at each start. Where that is long,
# the broker is elected anew meanwhile, and broker 4.3.1 then tells workers without end that it does
# not coordinate their group.
offsets.topic.segment.bytes=1048576
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
{restart}
"""

# After kill -9 the controller refuses the broker until the dead one's session has run out.
RESTART = """\
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=500
"""

LOG4J = """\
<Configuration status="error">
  <Appenders>
    <RollingFile name="file" fileName="server.log" filePattern="server.log.%i">
      <PatternLayout pattern="%d{ISO8601} %p %m (%c{1})%n"/>
      <Policies><SizeBasedTriggeringPolicy size="10 MB"/></Policies>
      <DefaultRolloverStrategy max="3"/>
    </RollingFile>
  </Appenders>
  <Loggers><Root level="info"><AppenderRef ref="file"/></Root></Loggers>
</Configuration>
"""


def command(data_dir: Path, port: int) -> list[str]:
    """The command whose process becomes the broker (its pid is java's in the end)."""
    place = ["--data-dir", str(data_dir), "--port", str(port)]
    return [sys.executable, "-m", "deploy.kafka", "start", *place]


def prepare(data_dir: Path, port: int) -> list[str]:
    """Write the configuration, format the storage once, and return java's command line.

    It is to be run in `data_dir`, whose `overrides.properties` an operator (or a test) may write,
    and `scram.users` before the first start: a line each, SCRAM-SHA-512=[name=…,password=…].
    Java and the jars are fetched when the cache lacks them.
    """
    properties = PROPERTIES.format(port=port, controller_port=ports.free(), restart=RESTART.strip())
    overrides = data_dir / "overrides.properties"
    if overrides.exists():  # of two values for one name the later one counts
        properties += overrides.read_text()
    (data_dir / "server.properties").write_text(properties)
    (data_dir / "log4j2.xml").write_text(LOG4J)
    # A killed broker leaves the libraries that it unpacked: in its own directory, not the system's.
    shutil.rmtree(data_dir / "scratch", ignore_errors=True)
    (data_dir / "scratch").mkdir(exist_ok=True)
    java = [jars.java(), "-cp", f"{jars.jars()}/*", "-Djava.io.tmpdir=scratch"]
    java += ["-Dlog4j2.configurationFile=log4j2.xml"]
    if not (data_dir / "formatted").exists():
        _format(data_dir, java)
    # Never less than the heap at once: growing it under load costs pauses.
    return [*java, "-Xmx512m", "-Xms256m", "kafka.Kafka", "server.properties"]


def _format(data_dir: Path, java: list[str]) -> None:
    """Make an empty log directory; the mark comes last, so a killed format is done again."""
    shutil.rmtree(data_dir / "log", ignore_errors=True)
    # Starts with a letter: an id that starts with "-" would be read as an option.
    cluster_id = base64.urlsafe_b64encode(b"\0" + uuid.uuid4().bytes[1:]).decode().rstrip("=")
    tool = ["kafka.tools.StorageTool", "format", "-t", cluster_id, "-c", "server.properties"]
    users = data_dir / "scram.users"
    for user in users.read_text().splitlines() if users.exists() else ():
        tool += ["--add-scram", user]
    made = subprocess.run(
        [*java, *tool],
        cwd=data_dir,
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode:
        raise SystemExit(f"kafka's storage cannot be formatted: {made.stdout}{made.stderr}")
    (data_dir / "formatted").touch()


def run(data_dir: Path, port: int) -> None:
    """Become the broker: this process is replaced by java and never returns."""
    data_dir.mkdir(parents=True, exist_ok=True)
    lock = _lock(data_dir)
    if lock is None:
        raise SystemExit(f"a broker runs on {data_dir} already")
    arguments = prepare(data_dir, port)
    (data_dir / "pid").write_text(str(os.getpid()))
    # Java inherits the lock, so it is held exactly as long as the broker lives.
    os.set_inheritable(lock.fileno(), True)
    os.chdir(data_dir)
    os.execv(arguments[0], arguments)  # noqa: S606  -- no shell is wanted


def _lock(data_dir: Path) -> IO[str] | None:
    held = (data_dir / "broker.lock").open("a")
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        held.close()
        return None
    return held


def running(data_dir: Path) -> int | None:
    """The pid of the broker on this directory, if one lives."""
    if not (data_dir / "pid").exists():
        return None
    lock = _lock(data_dir)
    if lock is None:
        return int((data_dir / "pid").read_text())
    lock.close()
    return None


def stop(data_dir: Path) -> bool:
    """Stop the broker on this directory cleanly; False when there is none."""
    pid = running(data_dir)
    if pid is None:
        return False
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while running(data_dir):
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)
    return True


def answers(port: int) -> bool:
    """Whether a broker on this port answers an ApiVersions request, as every client's first."""
    request = b"\0\0\0\x0a" + b"\0\x12\0\0" + b"\0\0\0\x01" + b"\xff\xff"
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as broker:
            broker.sendall(request)
            return len(broker.recv(8)) > 0
    except OSError:
        return False


class KafkaServer:
    """One broker as a child of this process."""

    def __init__(self, data_dir: Path, port: int) -> None:
        self.data_dir = data_dir
        self.port = port
        self.bootstrap = f"127.0.0.1:{port}"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Java's pid; 0 before the first start."""
        return self.process.pid if self.process else 0

    def start(self) -> None:
        """Start the broker and return when it answers; RuntimeError when it does not."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        with (self.data_dir / "console.log").open("ab") as console:
            self.process = subprocess.Popen(
                command(self.data_dir, self.port), stdout=console, stderr=console
            )
        deadline = time.monotonic() + START_SECONDS
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"kafka did not start, see {self.data_dir}/*.log")
            time.sleep(0.05)

    def answers(self) -> bool:
        """Whether it answers clients."""
        return answers(self.port)

    def stop(self) -> None:
        """Stop the broker cleanly (it leaves its log marked as clean) and wait for its end."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """`kill -9`, as a crash would."""
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> None:
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(how)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def main(arguments: list[str] | None = None) -> int:
    """`python -m deploy.kafka start|stop|wipe --data-dir D [--port P]`."""
    parser = argparse.ArgumentParser(prog="usage-report kafka", description=main.__doc__)
    parser.add_argument("what", choices=["start", "stop", "wipe"])
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--port", type=int, default=DEFAULT_PORT)
    given = parser.parse_args(arguments)
    if given.what == "start":
        run(given.data_dir.resolve(), given.port)
    stopped = stop(given.data_dir)
    if given.what == "wipe":
        shutil.rmtree(given.data_dir, ignore_errors=True)
    elif not stopped:
        print(f"no broker runs on {given.data_dir}")  # noqa: T201  -- the command's answer
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
