"""The files of `deploy/`, the Dockerfile and compose.yaml fit the program and each other."""

import json
import re
from pathlib import Path
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]
import pytest
import yaml

from service.api.metrics import Metrics
from service.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
DEPLOY = ROOT / "deploy"
DOCKERFILE = ROOT / "Dockerfile"
COMPOSE = ROOT / "compose.yaml"
PROOF = DEPLOY / "prove_image.sh"
UNIT = DEPLOY / "systemd" / "yanpan.service"
ALERTS = DEPLOY / "prometheus" / "alerts.yaml"
DASHBOARD = DEPLOY / "grafana" / "yanpan.json"
MANIFESTS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
KUBERNETES = "1.31"
SUFFIXES = ("", "_bucket", "_sum", "_count")


def documents(path: Path) -> list[Any]:
    return list(yaml.safe_load_all(path.read_text(encoding="utf-8")))


def manifest(kind: str) -> Any:
    found = [o for path in MANIFESTS for o in documents(path) if o["kind"] == kind]
    assert found, kind
    return found[0]


def alerts() -> list[Any]:
    return [rule for group in documents(ALERTS)[0]["groups"] for rule in group["rules"]]


def exposed() -> set[str]:
    text = Metrics(dict, lambda: "").render().decode()
    kinds = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
    return {
        name + suffix
        for name, kind in kinds.items()
        for suffix in (SUFFIXES if kind == "histogram" else SUFFIXES[:1])
    }


def expressions() -> list[str]:
    dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    variables = [v["definition"] for v in dashboard["templating"]["list"] if "definition" in v]
    panels = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    return [*variables, *panels, *(rule["expr"] for rule in alerts())]


@pytest.mark.parametrize(
    "path", [p for p in MANIFESTS if p.stem != "kustomization"], ids=lambda path: path.name
)
def test_an_object_is_what_the_kubernetes_api_takes(path: Path) -> None:
    for thing in documents(path):
        kubernetes_validate.validate(thing, KUBERNETES, strict=True)


def test_the_kustomization_holds_every_object_but_the_example_of_secrets() -> None:
    named = set(manifest("Kustomization")["resources"])
    assert named == {p.name for p in MANIFESTS} - {"kustomization.yaml", "secret.example.yaml"}


def test_every_object_finds_the_pods() -> None:
    labels = manifest("Deployment")["spec"]["template"]["metadata"]["labels"]
    assert manifest("Service")["spec"]["selector"] == labels
    for kind in ("Deployment", "PodDisruptionBudget"):
        assert manifest(kind)["spec"]["selector"]["matchLabels"] == labels
    assert manifest("NetworkPolicy")["spec"]["podSelector"]["matchLabels"] == labels


def test_no_secret_has_a_value_and_no_password_a_default() -> None:
    for secret in documents(DEPLOY / "kubernetes" / "secret.example.yaml"):
        assert not any(secret["stringData"].values())
    used = re.findall(r"\$\{?POSTGRES_PASSWORD[^}]*\}", COMPOSE.read_text(encoding="utf-8"))
    assert used
    assert all(":?" in use for use in used)


def test_every_container_runs_without_rights_on_a_read_only_root() -> None:
    pod = manifest("Deployment")["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["containers"][0]["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    for service in documents(COMPOSE)[0]["services"].values():
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]


@pytest.mark.parametrize("expression", expressions())
def test_a_metric_that_is_looked_at_is_one_that_the_service_exposes(expression: str) -> None:
    names = set(re.findall(r"\byanpan_\w+", re.sub(r'"[^"]*"', "", expression)))
    assert names or re.search(r"\bup\{", expression)
    assert names <= exposed()


@pytest.mark.parametrize("rule", alerts(), ids=lambda rule: rule["alert"])
def test_an_alert_has_a_summary_and_a_section_that_tells_what_to_do(rule: Any) -> None:
    assert rule["annotations"]["summary"]
    page, _, anchor = rule["annotations"]["runbook"].partition("#")
    text = (ROOT / page).read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    assert anchor in {heading.strip().lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize(
    "path", [DOCKERFILE, COMPOSE, UNIT, PROOF, *MANIFESTS], ids=lambda path: path.name
)
def test_a_variable_that_is_set_is_a_setting(path: Path) -> None:
    names = re.findall(r"\bYANPAN_(\w+)", path.read_text(encoding="utf-8"))
    assert {name.lower() for name in names} <= set(Settings.model_fields)


def test_the_proof_of_the_image_runs_the_very_commands_of_the_dockerfile() -> None:
    build = re.findall(r"python -m venv .*|\S+/pip install .*", DOCKERFILE.read_text("utf-8"))
    proof = PROOF.read_text("utf-8").replace('"$PYTHON"', "python").replace('"$ROOT"', "")
    assert len(build) == 3
    assert all(command.rstrip(" \\") in proof for command in build)


@pytest.mark.parametrize("path", [DOCKERFILE, UNIT], ids=lambda path: path.name)
def test_state_lies_where_it_may_be_written(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for name in ("KEYS_FILE", "AUDIT_LOG", "DATABASE_URL"):
        assert re.search(rf"YANPAN_{name}=(sqlite:///)?/var/lib/yanpan/", text)
