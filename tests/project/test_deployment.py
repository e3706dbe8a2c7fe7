"""What is deployed speaks of settings, ports, paths and metrics that there are, and is locked down.

Schemas and linters are `make lint-deploy`; the image is `make image-check`. No Docker is asked for.

Next: tests.image.dockerfile
"""

import json
import re
import tomllib
from urllib.parse import urlsplit

import chdb
import pytest
import yaml

import aggregators.__main__
import ingest.__main__
from deploy import jars
from deploy.connection import ConnectionSettings
from schemas.settings import IngestSettings, QuerySettings, WorkerSettings
from tests.project.test_alerts import exposed, names_in
from tests.support.deployed import (
    COMPOSE,
    DEPLOY,
    DOCKERFILE,
    KUBERNETES,
    OURS,
    PACKAGE_OF,
    PORTS,
    SERVICES,
    literals,
    of_kind,
    process_of,
    strings,
    workloads,
)
from tests.support.sources import ROOT

_OUR_NAME = re.compile(r"\b(?:USAGE_[A-Z_]+|CLICKHOUSE_DSN|KAFKA_BOOTSTRAP)\b")


def settings():
    """The environment names of all settings."""
    return {
        field.validation_alias or f"USAGE_{name.upper()}"
        for kind in (IngestSettings, WorkerSettings, QuerySettings, ConnectionSettings)
        for name, field in kind.model_fields.items()
    }


def test_settings_exist():
    """Every name that the image, compose or the manifests set is read by somebody."""
    named = set(_OUR_NAME.findall(" ".join(text for word, text in DOCKERFILE if word == "ENV")))
    for each in OURS.values():
        named |= set(each["environment"]) | set(_OUR_NAME.findall(" ".join(each["entrypoint"])))
    named |= set(literals())
    for _, _, container in workloads():
        named |= {variable["name"] for variable in container.get("env", ())}
    assert len(named) > 12
    assert named <= settings()


def test_values_are_what_settings_take():
    """What compose and the manifests say is read without a complaint."""
    given = [each["environment"] for each in OURS.values()] + [literals()]
    for kind in (IngestSettings, WorkerSettings, QuerySettings):
        for environ in given:
            names = {field.validation_alias or f"USAGE_{name.upper()}": name
                     for name, field in kind.model_fields.items()}  # fmt: skip
            kind(**{names[key]: text for key, text in environ.items() if key in names})


def test_compose_asks_for_health_where_it_is():
    """Each check asks the process's own port for a path that the process has."""
    asked = 0
    for service in OURS.values():
        if (process := process_of(service)) in PORTS:
            url = urlsplit(re.search(r"http://[^']+", service["healthcheck"]["test"][-1])[0])
            assert url.port == PORTS[process]
            assert_path(process, url.path)
            asked += 1
    assert asked == 4


def assert_path(process, path):
    """A route of this path stands in the sources; the worker's server answers on any."""
    if process == "worker":
        assert path == "/metrics"
        return
    texts = (ROOT / PACKAGE_OF[process]).rglob("*.py")
    assert any(f'"{path}"' in text.read_text(encoding="utf-8") for text in texts), path


def test_probes_ask_for_health_where_it_is():
    """The same of the manifests, and each process is asked before it is sent to, and killed."""
    for _, _, container in workloads():
        if (process := process_of(container)) == "migrate":
            continue
        assert container["ports"] == [{"name": "http", "containerPort": PORTS[process]}]
        for kind in ("startupProbe", "livenessProbe", "readinessProbe"):
            assert container[kind]["httpGet"]["port"] == "http"
            assert_path(process, container[kind]["httpGet"]["path"])


def test_prometheus_scrapes_every_process():
    """Compose's jobs are those of the rules, with the right ports; services carry the names."""
    usual, compose = (
        yaml.safe_load((DEPLOY / "prometheus" / name).read_text())["scrape_configs"]
        for name in ("prometheus.yaml", "compose.yaml")
    )
    jobs = {each["job_name"]: each["dns_sd_configs"][0] for each in compose}
    assert set(jobs) == {each["job_name"] for each in usual}
    for found in jobs.values():
        for name in found["names"]:
            assert found["port"] == PORTS[process_of(SERVICES[name])]
    named = {each["metadata"]["name"]: each["spec"] for each in of_kind("Service")}
    assert set(jobs) <= set(named)
    assert {named[job]["ports"][0]["port"] for job in jobs} == set(PORTS.values())
    exposed_ports = next(text for word, text in DOCKERFILE if word == "EXPOSE")
    assert set(map(int, exposed_ports.split())) == set(PORTS.values())


def test_workers_follow_a_metric_that_there_is():
    """The autoscaler's question names one, and never asks for more workers than partitions."""
    (scaled,) = of_kind("ScaledObject")
    names = names_in(scaled["spec"]["triggers"][0]["metadata"]["query"])
    assert names
    assert names <= exposed()
    assert scaled["spec"]["maxReplicaCount"] == int(literals()["USAGE_PARTITIONS"])


_SECRET = re.compile(r"password|secretName|token|_key", re.IGNORECASE)
# Places of secrets, and names of what holds them.
_NOT_SECRET = re.compile(
    r"/run/secrets/\w+|\./secrets/\w+|[A-Z_]*(?:PASSWORD|SECRET)|usage-[a-z-]+"
)


def test_no_secret_in_clear():
    """What is called password, secret, token or key says where it is, never what it is."""
    found = 0
    for path in DEPLOY.rglob("*.yaml"):
        for document in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            for keys, text in strings(document):
                if _SECRET.search(keys[-1] + str(keys[-2:-1])):
                    if keys[-1] in {"automountServiceAccountToken", "topologyKey"}:
                        continue
                    found += 1
                    assert _NOT_SECRET.fullmatch(text), (path, keys)
                assert not re.search(r"://[^/\s]*:[^/\s$]+@", text), (path, keys)
    assert found > 5
    assert not of_kind("Secret")
    assert "deploy/secrets" in (ROOT / ".dockerignore").read_text().split()
    assert "deploy/secrets/" in (ROOT / ".gitignore").read_text().split()


def test_images_are_pinned():
    """A tag with a version; brokers and store are the versions that the tests run against."""
    images = {each["image"] for each in SERVICES.values()}
    images |= {text.split()[0] for word, text in DOCKERFILE if word == "FROM"}
    assert all(re.search(r":v?\d+\.\d+", image) for image in images), images
    engine = ".".join(chdb.engine_version.split(".")[:2])
    assert f"clickhouse/clickhouse-server:{engine}" in images
    assert f"clickhouse/clickhouse-keeper:{engine}" in images
    broker = SERVICES["kafka-1"]["image"].partition(":")[2]
    assert broker == jars.KAFKA_VERSION
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert {each["image"] for each in OURS.values()} == {f"usage-report:{project['version']}"}


@pytest.mark.parametrize("name", SERVICES)
def test_containers_may_do_little(name):
    """A read-only root, no rights, bounds, a health check, and no way in but the proxy's."""
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert {"mem_limit", "cpus", "restart"} <= set(service)
    assert "healthcheck" in service or name == "migrate"
    assert name == "proxy" or "cap_add" not in service
    assert name == "proxy" or all(p.startswith("127.0.0.1:") for p in service.get("ports", ()))
    for kind in ("configs", "secrets"):
        for used in service.get(kind, ()):
            assert (used if isinstance(used, str) else used["source"]) in COMPOSE[kind]
    for volume in service.get("volumes", ()):
        assert volume.partition(":")[0] in COMPOSE["volumes"]


def test_compose_gives_files_that_there_are():
    """Every configuration file is in the repository, and the dashboard is JSON."""
    for each in COMPOSE["configs"].values():
        assert (DEPLOY / each["file"]).is_file(), each
    json.loads((DEPLOY / "grafana" / "usage-report.json").read_text(encoding="utf-8"))


def test_a_worker_that_needs_a_person_is_not_started_again():
    """It lingers where a restart can't be told apart by status; the job gives up at 78."""
    assert float(SERVICES["worker"]["environment"]["USAGE_STOP_LINGER_SECONDS"]) > 86_400
    assert float(literals()["USAGE_STOP_LINGER_SECONDS"]) > 86_400
    (job,) = of_kind("Job")
    (rule,) = job["spec"]["podFailurePolicy"]["rules"]
    assert (rule["action"], rule["onExitCodes"]["values"]) == ("FailJob", [78])


def test_pods_may_do_little():
    """No root, a read-only root, no rights, bounds; and one at a time is away by intent."""
    user = int(next(text for word, text in DOCKERFILE if word == "USER"))
    budgets = {b["spec"]["selector"]["matchLabels"]["app.kubernetes.io/component"]
               for b in of_kind("PodDisruptionBudget")}  # fmt: skip
    for each, pod, container in workloads():
        safe = pod["securityContext"]
        assert safe["runAsNonRoot"]
        assert safe["runAsUser"] == user
        assert safe["seccompProfile"] == {"type": "RuntimeDefault"}
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"]["limits"]["memory"]
        component = each["metadata"]["labels"]["app.kubernetes.io/component"]
        assert component in budgets or each["kind"] == "Job"
        assert (
            component
            == each["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/component"]
        )
    denied = next(n for n in of_kind("NetworkPolicy") if n["metadata"]["name"] == "usage-deny")
    assert denied["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_there_is_time_to_drain():
    """Whoever stops a process waits longer than it takes."""
    worker = aggregators.__main__._DRAIN_SECONDS + aggregators.__main__._STOP_SECONDS
    gateway = ingest.__main__._GRACE_SECONDS + IngestSettings().ack_timeout_seconds
    # The query service's own, and the five seconds of preStop.
    needed = {"worker": worker, "ingest": gateway + 5, "query": 10 + 5}
    for _, pod, container in workloads():
        if process_of(container) in needed:
            assert pod["terminationGracePeriodSeconds"] > needed[process_of(container)]
    for service in OURS.values():
        if process_of(service) in needed:
            assert int(service["stop_grace_period"].rstrip("s")) > needed[process_of(service)]


def test_the_proxy_lets_the_gateway_answer():
    """It takes more than the gateway does, waits longer, and lets connections go sooner."""
    text = (DEPLOY / "proxy" / "Caddyfile").read_text(encoding="utf-8")
    gateway = text[text.index("{$USAGE_INGEST_SITE") : text.index("{$USAGE_QUERY_SITE")]
    numbers = dict(re.findall(r"^\s+([a-z_]+) (\d+)(?:MiB|s)?$", gateway, re.MULTILINE))
    limits = IngestSettings()
    assert int(numbers["max_size"]) << 20 > limits.body_max_bytes
    assert int(numbers["request_buffers"]) >= int(numbers["max_size"])
    assert int(numbers["response_header_timeout"]) > limits.ack_timeout_seconds
    assert int(numbers["keepalive"]) < ingest.__main__._KEEP_ALIVE_SECONDS
    trusted = SERVICES["query"]["environment"]["USAGE_TRUSTED_PROXIES"]
    assert SERVICES["proxy"]["networks"]["front"]["ipv4_address"] == trusted


def test_kustomizations_name_what_there_is():
    """Every file is named by its folder, and every name is a file or a folder."""
    for path in KUBERNETES.rglob("kustomization.yaml"):
        made = yaml.safe_load(path.read_text(encoding="utf-8"))
        named = [*made.get("resources", ()), *made.get("components", ())]
        assert all((path.parent / name).exists() for name in named), path
        there = {each.name for each in path.parent.glob("*.yaml")} - {path.name}
        assert there <= set(named)


def test_the_build_sees_what_it_copies():
    """The list of what Docker may read has every source of the Dockerfile, and one base."""
    seen = set((ROOT / ".dockerignore").read_text().split())
    copies = [text.split()[:-1] for word, text in DOCKERFILE if word == "COPY"]
    for name in (name for names in copies if "--from" not in names[0] for name in names):
        assert f"!{name.split('/')[0]}" in seen
    assert len({text.split()[0] for word, text in DOCKERFILE if word == "FROM"}) == 1
