"""The session that is recorded: what a platform engineer and a developer type, one after the other."""

from __future__ import annotations

from pathlib import Path

FILES = Path(__file__).resolve().parent / "files"
IN = ("-n", "acme")
LOGIN = ("login", "--client-credentials", "--client-id", "ci", "--client-secret")
"""The secret follows."""
WITH_BROWSER = ("login",)

NAMESPACED_LISTS = (
    "project", "environment", "deploymentpipeline", "componenttype", "trait", "workflow", "resourcetype", "projecttype",
    "dataplane", "workflowplane", "observabilityplane", "authzrole", "authzrolebinding", "secretreference",
    "observabilityalertsnotificationchannel",
)  # fmt: skip


def apply(name: str) -> tuple[str, ...]:
    return ("apply", "-f", str(FILES / name))


PLATFORM = (
    ("version",),
    ("namespace", "list"),
    apply("namespace.yaml"),
    ("namespace", "get", "acme"),
    ("namespace", "get", "absent"),
    apply("platform.yaml"),
    apply("platform.yaml"),  # again: what is there is replaced
    *((kind, "list", *IN) for kind in NAMESPACED_LISTS),
    ("environment", "get", "development", *IN),
    ("deploymentpipeline", "get", "standard", *IN),
    ("componenttype", "get", "service", *IN),
    ("trait", "get", "quota", *IN),
    ("workflow", "get", "build", *IN),
    ("resourcetype", "get", "settings", *IN),
    ("clusterdataplane", "list"),
    ("clusterdataplane", "get", "default"),
    ("clusterworkflowplane", "list"),
)
DEVELOPER = (
    apply("project.yaml"),
    ("project", "list", *IN),
    ("project", "get", "shop", *IN),
    ("projectreleasebinding", "list", *IN, "-p", "shop"),
    ("projectrelease", "list", *IN, "-p", "shop"),
    ("project", "deploy", "shop", *IN),
    ("project", "deploy", "shop", *IN, "--to", "staging"),
    apply("component.yaml"),
    apply("component.yaml"),
    ("component", "list", *IN, "-p", "shop"),
    ("component", "get", "web", *IN),
    ("component", "get", "absent", *IN),
    ("workload", "list", *IN),
    ("workload", "get", "web", *IN),
    ("component", "deploy", "web", *IN, "-p", "shop"),
    ("componentrelease", "list", *IN, "-p", "shop", "--component", "web"),
    ("releasebinding", "list", *IN, "-p", "shop", "--component", "web"),
    ("releasebinding", "get", "web-development", *IN),
    ("component", "deploy", "web", *IN, "-p", "shop", "--to", "staging"),
    ("component", "deploy", "web", *IN, "-p", "shop", "--to", "nowhere"),
    ("component", "deploy", "absent", *IN, "-p", "shop"),
    ("component", "deploy", "web", *IN, "-p", "shop", "--set", "spec.componentTypeEnvironmentConfigs.replicas=2"),
    ("releasebinding", "list", *IN, "-p", "shop", "--component", "web"),
    ("releasebinding", "get", "absent", *IN),
    ("workflow", "run", "build", *IN, "--set", "spec.workflow.parameters.url=https://git.example/shop.git"),
    ("component", "workflow", "run", "web", *IN, "-p", "shop"),
    ("workflowrun", "list", *IN),
    ("component", "workflowrun", "list", "web", *IN),
    ("resource", "list", *IN, "-p", "shop"),
    ("resource", "get", "cache", *IN),
    ("resourcerelease", "list", *IN, "--resource", "cache"),
    apply("resource-binding.yaml"),
    ("resourcereleasebinding", "list", *IN, "--resource", "cache"),
    ("resource", "promote", "cache", *IN, "--env", "development"),
    ("resourcereleasebinding", "get", "cache-development", *IN),
    ("component", "scaffold", "other", *IN, "-p", "shop", "--componenttype", "deployment/service", "--traits", "quota"),
    ("secret", "list", *IN),
    apply("bad.yaml"),
    ("component", "list", "-n", "absent", "-p", "shop"),
    ("component", "delete", "web", *IN),
    ("project", "delete", "shop", *IN),
    ("environment", "delete", "absent", *IN),
    ("namespace", "delete", "acme"),
    ("namespace", "list"),
    ("logout",),
    ("namespace", "list"),
)
PERSON = (("namespace", "list"), ("environment", "list", "-n", "default"), ("logout",))
"""After the sign-in with a browser."""
