"""What is deployed, as tests read it: the Dockerfile, the compose file and the manifests.

Next: tests.project.test_deployment
"""

import yaml

from schemas.settings import IngestSettings, QuerySettings, WorkerSettings
from tests.image.dockerfile import instructions
from tests.support.sources import ROOT

DEPLOY = ROOT / "deploy"
KUBERNETES = DEPLOY / "kubernetes"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
SERVICES = COMPOSE["services"]
OURS = {name: each for name, each in SERVICES.items() if each["image"].startswith("usage-report:")}
DOCKERFILE = list(instructions(DEPLOY / "Dockerfile"))
PORTS = {
    "ingest": IngestSettings.model_fields["ingest_port"].default,
    "worker": WorkerSettings.model_fields["worker_port"].default,
    "query": QuerySettings.model_fields["query_port"].default,
}
PACKAGE_OF = {"ingest": "ingest", "worker": "aggregators", "query": "query_service"}


def manifests():
    """Every object of the manifests, in no order."""
    return [
        each
        for path in sorted(KUBERNETES.rglob("*.yaml"))
        if path.name != "kustomization.yaml"
        for each in yaml.safe_load_all(path.read_text(encoding="utf-8"))
    ]


def of_kind(*kinds):
    """The objects of these kinds."""
    return [each for each in manifests() if each["kind"] in kinds]


def workloads():
    """(object, specification of its pods, its one container)."""
    for each in of_kind("Deployment", "StatefulSet", "Job"):
        pod = each["spec"]["template"]["spec"]
        yield each, pod, pod["containers"][0]


def literals():
    """The settings that the manifests give every process."""
    made = yaml.safe_load((KUBERNETES / "config" / "kustomization.yaml").read_text())
    return dict(line.split("=", 1) for line in made["configMapGenerator"][0]["literals"])


def process_of(service):
    """Which process a service of compose, or a container, runs."""
    return (service.get("command") or service.get("args"))[0]


def strings(node, path=()):
    """(path of keys, text) of every scalar of a document."""
    if isinstance(node, dict | list):
        pairs = node.items() if isinstance(node, dict) else enumerate(node)
        for key, below in pairs:
            yield from strings(below, (*path, str(key)))
    else:
        yield path, str(node)
