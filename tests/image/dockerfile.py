"""Carries out a Dockerfile in overlays over this machine's own root, which stands for the base.

What it proves: the steps work, and the result runs. Not: that the base has what this machine has.

Next: tests.image.__main__
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.sources import ROOT, sources


@dataclass
class Stage:
    """One stage: its root on this machine, and what a process in it starts with."""

    root: Path
    environ: dict[str, str] = field(default_factory=dict)
    workdir: str = "/"
    user: str = "root"
    entrypoint: list[str] = field(default_factory=list)
    volumes: list[str] = field(default_factory=list)


def instructions(path):
    """(word, rest) of each instruction, comments and continued lines folded away."""
    text = re.sub(r"^#.*\n", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    for line in re.sub(r"\\\n\s*", " ", text).splitlines():
        if line.strip():
            word, _, rest = line.strip().partition(" ")
            yield word, rest.strip()


def overlay(place):
    """A root that reads from this machine's and keeps what is written to itself."""
    for name in ("upper", "work", "root"):
        (place / name).mkdir(parents=True)
    layers = f"lowerdir=/,upperdir={place}/upper,workdir={place}/work"
    mount("-t", "overlay", "overlay", "-o", layers, place / "root")
    root = place / "root"
    mount("-t", "proc", "proc", root / "proc")
    mount("--rbind", "/dev", root / "dev")
    # The base's Python is this one, and everybody may run it, wherever it lies here.
    python = Path(os.path.realpath(sys.executable))
    for above in python.relative_to("/").parents:
        (root / above).chmod((root / above).stat().st_mode | 0o011)
    plain = root / python.with_name("python").relative_to("/")
    if not plain.exists():
        plain.symlink_to(python.name)
    return root


def mount(*arguments):
    """Mount, or raise."""
    subprocess.run(["mount", *map(str, arguments)], check=True)


def build(path, scratch):
    """Carry out every stage, and return the last one."""
    stages = {}
    for word, rest in instructions(path):
        if word == "FROM":
            name = rest.partition(" AS ")[2] or str(len(stages))
            stage = stages[name] = Stage(overlay(scratch / name))
            # Packages come from where this machine gets them.
            stage.environ = {
                "PATH": f"{Path(os.path.realpath(sys.executable)).parent}:/usr/sbin:/usr/bin",
                **{name: text for name, text in os.environ.items() if name.startswith("PIP_")},
            }
            continue
        print(f"{word} {rest[:100]}", flush=True)
        _step(stages, stage, word, rest)
    return stage


def _step(stages, stage, word, rest):
    match word:
        case "RUN":
            chrooted(stage, ["sh", "-ec", rest], check=True)
        case "COPY":
            _copy(stages, stage, shlex.split(rest))
        case "ENV":
            for pair in shlex.split(rest):
                name, _, text = pair.partition("=")
                stage.environ[name] = text.replace("$PATH", stage.environ["PATH"])
        case "WORKDIR":
            stage.workdir = rest
            inside(stage, rest).mkdir(parents=True, exist_ok=True)
        case "USER":
            stage.user = rest
        case "VOLUME":
            stage.volumes.append(rest)
        case "ENTRYPOINT":
            stage.entrypoint = json.loads(rest)
        case "EXPOSE" | "CMD":
            assert rest, word
        case _:
            raise ValueError(f"{word} is not known here")


def inside(stage, path):
    """A path of the stage, as this machine sees it."""
    return stage.root / path.lstrip("/")


def _copy(stages, stage, words):
    if words[0].startswith("--from="):
        place, target = words[1:]
        other = stages[words[0].partition("=")[2]]
        inside(stage, target).parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cp", "-a", inside(other, place), inside(stage, target)], check=True)
        return
    *names, target = words
    target = inside(stage, str(Path(stage.workdir, target)))
    for name in names:
        for path in sources(name):
            # A directory's contents go into the target, a file by its name.
            below = path.relative_to(ROOT / name) if (ROOT / name).is_dir() else Path(path.name)
            (target / below).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target / below)


def chrooted(stage, command, **options):
    """Run in the stage's root as its user, with no right that the user does not need."""
    drop = []
    if stage.user != "root":
        drop = ["setpriv", f"--reuid={stage.user}", f"--regid={stage.user}", "--clear-groups"]
        drop += ["--inh-caps=-all", "--bounding-set=-all", "--no-new-privs"]
    there = ["env", f"--chdir={stage.workdir}", *command]
    environ = stage.environ | options.pop("environ", {})
    return options.pop("run", subprocess.run)(
        ["chroot", stage.root, *drop, *there], env=environ, stdin=subprocess.DEVNULL, **options
    )
