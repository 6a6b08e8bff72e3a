"""Every setting of Stagecraft, read from the environment and typed.

The block "What can be set" is the whole list, each variable with its default and its meaning; nothing else in the code
reads the environment. A bad value ends the process at start with one sentence per mistake. Django's own settings
follow from it and are not meant to be set one by one.
"""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Callable
from ipaddress import ip_network
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit

BASE_DIR = Path(__file__).resolve().parent.parent
Value = TypeVar("Value")


class Variable(NamedTuple):
    """An environment variable as the reference lists it."""

    name: str
    default: str
    meaning: str


VARIABLES: list[Variable] = []
_mistakes: list[str] = []


def read(name: str, default: Value, convert: Callable[[str], Value], meaning: str, *, is_secret: bool = False) -> Value:
    """The variable's value, or its default. A value that `convert` refuses is remembered as a mistake."""
    VARIABLES.append(Variable(name, str(default), meaning))
    given = os.environ.get(name, "")
    if not given:
        return default
    try:
        return convert(given)
    except ValueError as error:
        shown = "(not shown)" if is_secret else repr(given)
        _mistakes.append(f"stagecraft: {name}={shown} cannot be used: {error}. Correct or unset {name}.")
        return default


def number(at_least: float, kind: type[Value]) -> Callable[[str], Value]:
    """Reads an int or a float that is not too small."""

    def convert(given: str) -> Value:
        try:
            value: Any = kind(given)  # type: ignore[call-arg]
        except ValueError:
            raise ValueError("it must be a whole number" if kind is int else "it must be a number") from None
        if value < at_least:
            raise ValueError(f"it must be at least {at_least}")
        return value  # type: ignore[no-any-return]

    return convert


def boolean(given: str) -> bool:
    if given.lower() in ("1", "true", "yes", "on"):
        return True
    if given.lower() in ("0", "false", "no", "off"):
        return False
    raise ValueError("it must be true or false")


def one_of(*choices: str) -> Callable[[str], str]:
    def convert(given: str) -> str:
        if given.upper() not in choices:
            raise ValueError(f"it must be one of {', '.join(choices)}")
        return given.upper()

    return convert


def listed(given: str) -> list[str]:
    return [item.strip() for item in given.split(",") if item.strip()]


def all_of(*choices: str) -> Callable[[str], list[str]]:
    def convert(given: str) -> list[str]:
        unknown = sorted(set(listed(given)) - set(choices))
        if unknown:
            raise ValueError(f"there is no {', '.join(unknown)}; choose from {', '.join(choices)}")
        return listed(given)

    return convert


def address(given: str) -> str:
    host, _, port = given.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise ValueError("write it as host:port")
    return given


def remotes(given: str) -> list[str]:
    from catalog.delivery.git.permitted import parse_remote

    for item in listed(given):
        parse_remote(item)
    return listed(given)


def origins(given: str) -> list[str]:
    for item in listed(given):
        parts = urlsplit(item)
        if parts.scheme not in ("http", "https") or not parts.netloc or item != f"{parts.scheme}://{parts.netloc}":
            raise ValueError(f"{item} is not an origin; write https://host or https://host:port, without a path")
    return listed(given)


def http_address(given: str) -> str:
    parts = urlsplit(given)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError(f"{given} is not an address; write http://host:port or https://host/path")
    return given


def networks(given: str) -> list[str]:
    for item in listed(given):
        ip_network(item)
    return listed(given)


def signature_algorithms(given: str) -> list[str]:
    """Asymmetric ones only: whoever knows the issuer's public key must not be able to sign."""
    known = [f"{family}{bits}" for family in ("RS", "PS", "ES") for bits in (256, 384, 512)] + ["EdDSA"]
    if unknown := [item for item in listed(given) if item not in known]:
        raise ValueError(f"{unknown[0]} is not one of {', '.join(known)}")
    return listed(given)


def database_url(given: str) -> str:
    scheme = urlsplit(given).scheme
    if scheme not in ("postgres", "postgresql", "sqlite"):
        raise ValueError(f"its scheme is {scheme!r}; use postgresql://user:password@host:port/name or sqlite:///path")
    return given


def sealing_keys(given: str) -> str:
    from portal.secrets.keys import parse_keys

    if not parse_keys(given):
        raise ValueError("it names no key")
    return given


def directory(given: str) -> Path:
    try:
        Path(given).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f"{given} cannot be made ({error.strerror}); name a directory you can write to") from None
    return Path(given)


MCP_TOOLSET_NAMES = ("namespace", "project", "component", "deployment", "build", "resource", "pe")
"""The contract's seven."""

# What can be set ------------------------------------------------------------------------------------------------------

HOME = read("STAGECRAFT_HOME", BASE_DIR / ".stagecraft", directory, "Data directory: database, queue, Git plane, keys.")
DATABASE_URL = read(
    "DATABASE_URL",
    "",
    database_url,
    "`postgresql://…` or `sqlite:///path`; empty: SQLite in the data directory.",
    is_secret=True,
)
DATABASE_CONN_MAX_AGE = read("DATABASE_CONN_MAX_AGE", 60, number(0, int), "Seconds a database connection is kept.")
CELERY_BROKER_URL = read(
    "CELERY_BROKER_URL", "", str, "`redis://…`, `amqp://…` or `filesystem://…`; empty: files in the data directory."
)
SECRET_KEY = read(
    "SECRET_KEY", "", str, "Signs sessions; the same on every replica. Empty: made once, kept in the data directory."
)
DEBUG = read("DEBUG", False, boolean, "Django's debug pages. Never on in production.")
LOG_LEVEL = read("LOG_LEVEL", "INFO", one_of("DEBUG", "INFO", "WARNING", "ERROR"), "How much is logged.")
PUBLIC_URL = read("PUBLIC_URL", "http://127.0.0.1:8000", str, "How users reach this server.")
ALLOWED_HOSTS = read(
    "ALLOWED_HOSTS", ["127.0.0.1", "localhost", "[::1]"], listed, "Host names served, comma-separated."
)
MCP_TOOLSETS = read(
    "MCP_TOOLSETS",
    list(MCP_TOOLSET_NAMES),
    all_of(*MCP_TOOLSET_NAMES),
    "Toolsets of the control plane's MCP endpoint that are served, comma-separated.",
)
REQUESTS_AT_ONCE = read(
    "REQUESTS_AT_ONCE",
    8,
    number(1, int),
    "Requests that one server process works on at once, each with a database connection; more wait.",
)
STREAMS_MAX = read(
    "STREAMS_MAX",
    64,
    number(0, int),
    "Streams (watches, logs) that one server process has open at most. Each needs one of the server's threads.",
)
STREAMS_PER_SUBJECT = read(
    "STREAMS_PER_SUBJECT", 16, number(1, int), "How many of a server process's streams one user or program may have."
)
STREAM_MINUTES = read(
    "STREAM_MINUTES", 60, number(1, int), "Minutes after which a watch ends and its client goes on with a new one."
)
CORS_ALLOWED_ORIGINS = read(
    "CORS_ALLOWED_ORIGINS",
    [],
    origins,
    "Origins (`https://host[:port]`, comma-separated) whose pages may call the API from a browser. Empty: none.",
)
ACCESS_LOG = read("ACCESS_LOG", True, boolean, "One JSON line for every request, on standard output.")
CSRF_TRUSTED_ORIGINS = read("CSRF_TRUSTED_ORIGINS", [], listed, "Origins of admin and forms behind a proxy.")
GIT_PLANE_REPOSITORY = read(
    "GIT_PLANE_REPOSITORY", "", str, "Repository of the Git plane; empty: `planes/default.git` in the data directory."
)
GIT_PLANE_BRANCH = read("GIT_PLANE_BRANCH", "main", str, "Branch that deliveries are committed to.")
KUBERNETES_CLUSTERS = read(
    "KUBERNETES_CLUSTERS",
    "",
    str,
    "Directory with a `<name>.kubeconfig` for each cluster that planes name; empty: `clusters` in the data directory.",
)
DRIFT_CONTROLLERS = tuple(
    pattern.lower()
    for pattern in read(
        "DRIFT_CONTROLLERS",
        [
            "*controller*", "*operator*", "*autoscaler*", "*webhook*", "*-manager", "manager", "kube-*", "kubelet",
            "kwok*", "vpa-*", "keda*", "istio*", "pilot-discovery", "linkerd*", "cilium*", "argocd*", "argo-*", "flux*",
            "crossplane*", "external-secrets*", "cert-manager*", "cainjector*", "kyverno*", "gatekeeper*",
            "envoy-gateway*", "kgateway*",
        ],
        listed,
        "Field managers, as shell patterns, whose work in delivered objects is welcome; all others count as people.",
    )
)  # fmt: skip
DRIFT_KEEP_DAYS = read("DRIFT_KEEP_DAYS", 90, number(1, int), "Days for which drift that is over is remembered.")
RELEASES_KEEP = read(
    "RELEASES_KEEP",
    50,
    number(0, int),
    "Newest releases of a component, project or resource that are always kept; 0: none is ever dropped.",
)
RELEASES_KEEP_DAYS = read(
    "RELEASES_KEEP_DAYS", 90, number(0, int), "Days for which older releases are kept. What is in use is never dropped."
)
UNDELETE_DAYS = read("UNDELETE_DAYS", 30, number(0, int), "Days within which a deleted object can be brought back.")
GATEWAY_ADDRESS = read(
    "GATEWAY_ADDRESS", "0.0.0.0:8443", address, "Where the cluster gateway listens for agents, as `host:port`."
)
GATEWAY_INTERNAL_ADDRESS = read(
    "GATEWAY_INTERNAL_ADDRESS",
    "127.0.0.1:8444",
    address,
    "Where the gateway listens for server and workers. Beyond this machine it needs the three GATEWAY_INTERNAL_ files.",
)
GATEWAY_INTERNAL_URL = read(
    "GATEWAY_INTERNAL_URL",
    "",
    str,
    "How server, workers and other replicas reach this replica's internal port; empty: as it listens.",
)
GATEWAY_CERTIFICATE = read(
    "GATEWAY_CERTIFICATE",
    "",
    str,
    "PEM file with the gateway's certificate for agents; empty: one of its own authority, in the data directory.",
)
GATEWAY_KEY = read("GATEWAY_KEY", "", str, "PEM file with the key of GATEWAY_CERTIFICATE.")
GATEWAY_AUTHORITY = read(
    "GATEWAY_AUTHORITY", "", str, "PEM file with the authority of GATEWAY_CERTIFICATE, which agents are given."
)
GATEWAY_HOSTS = read(
    "GATEWAY_HOSTS",
    ["127.0.0.1", "localhost"],
    listed,
    "Names and addresses by which agents reach the gateway, comma-separated; the certificate that it makes has them.",
)
GATEWAY_INTERNAL_CERTIFICATE = read(
    "GATEWAY_INTERNAL_CERTIFICATE", "", str, "PEM file: the certificate of server, workers and gateway to each other."
)
GATEWAY_INTERNAL_KEY = read("GATEWAY_INTERNAL_KEY", "", str, "PEM file with its key.")
GATEWAY_INTERNAL_AUTHORITY = read("GATEWAY_INTERNAL_AUTHORITY", "", str, "PEM file with the authority that signed it.")
GATEWAY_REQUEST_BYTES = read(
    "GATEWAY_REQUEST_BYTES", 10 * 1024 * 1024, number(1024, int), "The largest request that goes through an agent."
)
GATEWAY_MESSAGE_BYTES = read(
    "GATEWAY_MESSAGE_BYTES", 64 * 1024 * 1024, number(65536, int), "The longest message that an agent may send."
)
GATEWAY_ANSWER_SECONDS = read(
    "GATEWAY_ANSWER_SECONDS", 25.0, number(0.1, float), "How long an agent may take to answer a request."
)
GATEWAY_HEARTBEAT_SECONDS = read(
    "GATEWAY_HEARTBEAT_SECONDS", 30.0, number(0.1, float), "How often an agent is asked whether it is still there."
)
GATEWAY_AGENTS = read("GATEWAY_AGENTS", 1000, number(1, int), "Agents that may be connected to one replica.")
GITHUB_WEBHOOK_SECRET = read("GITHUB_WEBHOOK_SECRET", "", str, "Secret of GitHub's webhooks; empty: they are refused.")
GITLAB_WEBHOOK_SECRET = read("GITLAB_WEBHOOK_SECRET", "", str, "Token of GitLab's webhooks; empty: they are refused.")
BITBUCKET_WEBHOOK_SECRET = read(
    "BITBUCKET_WEBHOOK_SECRET", "", str, "Secret of Bitbucket's webhooks; empty: they are refused."
)
GIT_PLANE_REMOTES = read(
    "GIT_PLANE_REMOTES",
    [],
    remotes,
    "Addresses (`https://host/path`, `ssh://user@host/path`, comma-separated) below which planes may name a remote. "
    "Git pushes there with the credentials that it has where Stagecraft runs.",
)
RECONCILE_LEASE_SECONDS = read(
    "RECONCILE_LEASE_SECONDS", 60, number(5, int), "How long a worker may hold an object before another may take over."
)
RECONCILE_SWEEP_SECONDS = read(
    "RECONCILE_SWEEP_SECONDS", 5.0, number(0.05, float), "How often a worker looks for work whose message was lost."
)
CEL_BUDGET = read(
    "CEL_BUDGET",
    2_000_000,
    number(1000, int),
    "Steps that one expression of a type may take; all expressions of a render together may take ten times as many.",
)
RECONCILE_BATCH = read("RECONCILE_BATCH", 16, number(1, int), "Objects that a worker claims at once.")
MANAGE_PROJECT_RELEASE_BINDINGS = read(
    "MANAGE_PROJECT_RELEASE_BINDINGS",
    True,
    boolean,
    "Make a project's missing release bindings, one for each environment of its pipeline.",
)
STRICT_DENY = read(
    "STRICT_DENY", False, boolean, "Let every deny refuse, not only what the same group gives or what names the person."
)
HIDE_FORBIDDEN = read(
    "HIDE_FORBIDDEN", True, boolean, "Answer 404 for what may not be seen. Off: 403, as OpenChoreo does."
)
SECURITY_ENABLED = read(
    "SECURITY_ENABLED", True, boolean, "Off: nobody is asked who they are, and everything is allowed. For trials only."
)
AUTHZ_ENABLED = read(
    "AUTHZ_ENABLED", True, boolean, "Off: everybody who is signed in may do everything. For trials only."
)
ALLOW_INSECURE = read(
    "ALLOW_INSECURE", False, boolean, "Lets the server start with security switched off although DEBUG is off."
)
TOKEN_DAYS = read("TOKEN_DAYS", 90, number(1, int), "Days that an access token lasts unless its maker says otherwise.")
TOKEN_MAX_DAYS = read("TOKEN_MAX_DAYS", 365, number(1, int), "Days that an access token lasts at most.")
OIDC_ISSUER = read(
    "OIDC_ISSUER", "", str, "Outside OpenID provider whose access tokens are accepted: its `iss`, to the letter."
)
OIDC_AUDIENCE = read(
    "OIDC_AUDIENCE", [], listed, "Audiences (`aud`, comma-separated) of which a token must be for one. Needed."
)
OIDC_JWKS_URL = read("OIDC_JWKS_URL", "", str, "Where the issuer's keys are; empty: as its discovery document says.")
OIDC_ALGORITHMS = read(
    "OIDC_ALGORITHMS", ["RS256", "PS256", "ES256", "EdDSA"], signature_algorithms, "Signatures accepted in tokens."
)
OIDC_LEEWAY_SECONDS = read("OIDC_LEEWAY_SECONDS", 30, number(0, int), "How far the issuer's clock may be off.")
OIDC_GROUPS_CLAIM = read("OIDC_GROUPS_CLAIM", "groups", str, "The claim that holds a person's groups.")
OIDC_AGENTS = read("OIDC_AGENTS", [], listed, "Client ids of the issuer that are AI agents, comma-separated.")
OIDC_AGENT_CLAIM = read("OIDC_AGENT_CLAIM", "", str, "A claim that marks agents, as `name=value`.")
OIDC_AGENT_OWNER = read(
    "OIDC_AGENT_OWNER",
    "",
    str,
    "User name of the person who answers for the issuer's agents; empty: made by hand first.",
)
OIDC_PRIVATE_NETWORKS = read(
    "OIDC_PRIVATE_NETWORKS", [], networks, "Private networks (CIDR, comma-separated) where the issuer may be."
)
GRANT_USE_SECONDS = read(
    "GRANT_USE_SECONDS", 30.0, number(0, float), "How long a process keeps notes of the use of grants; 0: for ever."
)
EXPIRED_GRANTS_DAYS = read(
    "EXPIRED_GRANTS_DAYS", 7.0, number(0, float), "How long grants and bindings that have expired stay to be seen."
)
OIDC_CLIENTS = read(
    "OIDC_CLIENTS",
    ["cli=openchoreo-cli"],
    listed,
    "Clients of the outside issuer that OpenChoreo's own programs use, as `name=client id`, comma-separated.",
)
BUILT_IN_ISSUER = read(
    "BUILT_IN_ISSUER",
    not OIDC_ISSUER,
    boolean,
    "Sign people and programs in here, as an OpenID provider. Unless set, on if there is no OIDC_ISSUER.",
)
ISSUER_TOKEN_MINUTES = read(
    "ISSUER_TOKEN_MINUTES", 60, number(1, int), "How long access tokens of the built-in issuer last."
)
ISSUER_REFRESH_DAYS = read(
    "ISSUER_REFRESH_DAYS", 7, number(1, int), "Days after which a program that was not used must sign in anew."
)
AUDIT_KEY = read(
    "AUDIT_KEY", "", str, "Signs the audit's checkpoints. Empty: made once, kept in the data directory as `audit-key`."
)
SECRETS_KEYS = read(
    "SECRETS_KEYS",
    "",
    sealing_keys,
    "Keys that seal the secrets kept here: `id:base64 of 32 bytes`, comma-separated, the first seals. "
    "Empty: made once, kept in the data directory as `secrets-keys`.",
    is_secret=True,
)
SECRET_MANAGEMENT_ENABLED = read(
    "SECRET_MANAGEMENT_ENABLED", False, boolean, "Serve `/secrets`: users may hand over secrets. Off: 501."
)
SECRETS_SHOW_VALUES = read(
    "SECRETS_SHOW_VALUES",
    False,
    boolean,
    "Show a secret's values to all who may see it, as OpenChoreo does. Off: only its keys.",
)
AUDIT_SEAL_SECONDS = read(
    "AUDIT_SEAL_SECONDS", 2.0, number(0.05, float), "How often a worker seals new audit events into their chain."
)
TRUSTED_PROXIES = read(
    "TRUSTED_PROXIES", 0, number(0, int), "How many proxies in front are ours; so many hops of X-Forwarded-For count."
)
OUTGOING_PRIVATE_NETWORKS = read(
    "OUTGOING_PRIVATE_NETWORKS",
    [],
    networks,
    "Private networks (CIDR, comma-separated) that webhooks and other addresses set by users may reach.",
)
LOGS_ADAPTER_URL = read(
    "LOGS_ADAPTER_URL",
    "",
    http_address,
    "The adapter that keeps logs and events, for planes that name none of their own; empty: none.",
)
METRICS_ADAPTER_URL = read("METRICS_ADAPTER_URL", "", http_address, "As LOGS_ADAPTER_URL, of metrics.")
TRACING_ADAPTER_URL = read("TRACING_ADAPTER_URL", "", http_address, "As LOGS_ADAPTER_URL, of traces.")
FINOPS_ADAPTER_URL = read("FINOPS_ADAPTER_URL", "", http_address, "As LOGS_ADAPTER_URL, of costs.")
OBSERVER_TIMEOUT_SECONDS = read(
    "OBSERVER_TIMEOUT_SECONDS", 30.0, number(0.1, float), "How long an adapter may take to answer, second try included."
)
SESSION_HOURS = read("SESSION_HOURS", 12, number(1, int), "Hours after which the admin asks for the password again.")
GIT_REVISION = read("GIT_REVISION", "", str, "What `/version` tells of the source; set by whoever builds an image.")
BUILD_TIME = read("BUILD_TIME", "", str, "When it was built, for `/version`: RFC 3339.")
YAML_MAX_BYTES = read("YAML_MAX_BYTES", 10 * 1024 * 1024, number(1024, int), "Largest YAML or JSON input accepted.")

# ----------------------------------------------------------------------------------------------------------------------

if OIDC_ISSUER and not OIDC_AUDIENCE and not DEBUG:
    _mistakes.append(
        "stagecraft: OIDC_ISSUER is set without OIDC_AUDIENCE, so a token for any other service would be accepted "
        "here. Set OIDC_AUDIENCE to the `aud` that the issuer gives tokens for Stagecraft."
    )
if OIDC_ISSUER and not OIDC_ISSUER.startswith("https://") and not (OIDC_PRIVATE_NETWORKS or DEBUG):
    _mistakes.append(
        f"stagecraft: OIDC_ISSUER={OIDC_ISSUER!r} is not https. Use https, or name its network in "
        "OIDC_PRIVATE_NETWORKS."
    )
if not (SECURITY_ENABLED and AUTHZ_ENABLED) and not (DEBUG or ALLOW_INSECURE):
    _switch = "AUTHZ_ENABLED" if SECURITY_ENABLED else "SECURITY_ENABLED"
    _mistakes.append(
        f"stagecraft: {_switch} is off, which lets everybody do everything. Unset it, or set ALLOW_INSECURE=true "
        "too if that is meant."
    )
if _mistakes:
    print("\n".join(_mistakes), file=sys.stderr)
    raise SystemExit(2)
HOME.mkdir(parents=True, exist_ok=True)


def database(url: str) -> dict[str, Any]:
    """Django's DATABASES entry for a URL."""
    if not url:
        url = f"sqlite:///{HOME / 'stagecraft.sqlite3'}"
    parts = urlsplit(url)
    if parts.scheme in ("postgres", "postgresql"):
        return {
            "ENGINE": "portal.postgresql",
            "NAME": unquote(parts.path.lstrip("/")),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": unquote(parts.hostname or ""),
            "PORT": str(parts.port or ""),
            "CONN_MAX_AGE": DATABASE_CONN_MAX_AGE,
            "CONN_HEALTH_CHECKS": True,
            "OPTIONS": dict(parse_qsl(parts.query)),
        }
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "CONN_MAX_AGE": DATABASE_CONN_MAX_AGE,
        "NAME": unquote(url.removeprefix("sqlite:///")),
        "OPTIONS": {
            # Writers queue instead of failing: a transaction takes the write lock when it begins.
            "transaction_mode": "IMMEDIATE",
            "timeout": 30,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-16000;",
        },
    }


def kept_key(name: str) -> str:
    """A key made once for this data directory and kept in a file of that name."""
    path = HOME / name
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(50))
    return path.read_text().strip()


SECRET_KEY = SECRET_KEY or kept_key("secret-key")
AUDIT_KEY = AUDIT_KEY or kept_key("audit-key")
SECRETS_KEYS_FILE = HOME / "secrets-keys"
AUDIT_CHECKPOINTS = HOME / "audit-checkpoints.jsonl"
DATABASES = {"default": database(DATABASE_URL)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "portal.accounts",
    "portal.audit",
    "portal.secrets",
    "portal.quickstart",
    "portal.admin_site.apps.StagecraftAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "guardian",
    "oauth2_provider",
    "portal.accounts.issuer.apps.IssuerConfig",
    "catalog",
    "workflows",
]
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["portal.accounts.backends.PrincipalBackend", "portal.access.backend.HierarchyBackend"]
SILENCED_SYSTEM_CHECKS = ["guardian.W001"]  # it looks for its own backend by name, and ours is made of it
ANONYMOUS_USER_NAME = None
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

MIDDLEWARE = [
    "portal.audit.middleware.AuditMiddleware",
    "portal.audit.access_log.AccessLogMiddleware",
    "portal.wire.cors.CorsMiddleware",
    "portal.wire.security.SecurityHeadersMiddleware",
    "portal.wire.straight.StraightToView",  # what follows is for pages
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"
APPEND_SLASH = False  # a redirect loses the body of a POST, and the contract has no trailing slashes
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True  # no collectstatic needed
WHITENOISE_AUTOREFRESH = DEBUG
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True

CELERY_BROKER_URL = CELERY_BROKER_URL or "filesystem://localhost//"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
if CELERY_BROKER_URL.startswith("filesystem://"):
    _queue = HOME / "queue"
    _queue.mkdir(parents=True, exist_ok=True)
    CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = {
        "data_folder_in": str(_queue),
        "data_folder_out": str(_queue),
        "control_folder": str(HOME / "queue-control"),
        "polling_interval": 0.05,
    }
    # Gossip, mingle and remote control need a broker that fans out; files do not.
    CELERY_WORKER_ENABLE_REMOTE_CONTROL = False

KUBERNETES_CLUSTERS = Path(KUBERNETES_CLUSTERS or HOME / "clusters")
WEBHOOK_SECRETS = {
    "github": GITHUB_WEBHOOK_SECRET,
    "gitlab": GITLAB_WEBHOOK_SECRET,
    "bitbucket": BITBUCKET_WEBHOOK_SECRET,
}
GIT_PLANE_REPOSITORY = GIT_PLANE_REPOSITORY or str(HOME / "planes" / "default.git")

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = PUBLIC_URL.startswith("https://")
SESSION_COOKIE_AGE = SESSION_HOURS * 3600
CSRF_COOKIE_SECURE = SESSION_COOKIE_SECURE
CSRF_COOKIE_HTTPONLY = True  # no script of ours reads it
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if SESSION_COOKIE_SECURE else 0
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if SESSION_COOKIE_SECURE:
    # The prefix makes browsers refuse a cookie of that name that a neighbouring host has set.
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
DATA_UPLOAD_MAX_MEMORY_SIZE = YAML_MAX_BYTES

OAUTH2_PROVIDER_APPLICATION_MODEL = "issuer.Client"
OAUTH2_PROVIDER_ACCESS_TOKEN_MODEL = "oauth2_provider.AccessToken"  # noqa: S105 - the name of a table, as the next ones
OAUTH2_PROVIDER_REFRESH_TOKEN_MODEL = "oauth2_provider.RefreshToken"  # noqa: S105
OAUTH2_PROVIDER_ID_TOKEN_MODEL = "oauth2_provider.IDToken"  # noqa: S105
OAUTH2_PROVIDER_GRANT_MODEL = "oauth2_provider.Grant"
OAUTH2_PROVIDER_DEVICE_GRANT_MODEL = "oauth2_provider.DeviceGrant"
MIGRATION_MODULES = {"oauth2_provider": "portal.accounts.issuer.toolkit_migrations"}
OAUTH2_PROVIDER: dict[str, Any] = {
    # Which grants there are, and what tokens are like, is fixed in portal.accounts.issuer; these are the toolkit's own.
    "OAUTH2_SERVER_CLASS": "portal.accounts.issuer.protocol.Server",
    "OAUTH2_VALIDATOR_CLASS": "portal.accounts.issuer.protocol.Validator",
    "OIDC_ENABLED": True,
    "OIDC_ISS_ENDPOINT": PUBLIC_URL.rstrip("/"),
    "SCOPES": {name: name for name in ("openid", "profile", "email")},
    "REFRESH_TOKEN_EXPIRE_SECONDS": ISSUER_REFRESH_DAYS * 24 * 3600,
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
    "ID_TOKEN_EXPIRE_SECONDS": 3600,
    "ALLOW_LOCALHOST_LOOPBACK": True,
    "COMPLIANT_BCP_RFC9700_IMPLICIT_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PASSWORD_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PKCE_METHOD": True,
    "COMPLIANT_BCP_RFC9700_ACCESS_TOKEN_TRANSPORT": True,
    "COMPLIANT_BCP_RFC9700_AUTHZ_RESPONSE_ISS": True,
    "COMPLIANT_BCP_RFC9700_TOKEN_STORAGE": True,
    "COMPLIANT_BCP_RFC9700_REFRESH_TOKEN": True,
    "COMPLIANT_BCP_RFC9700_REDIRECT_URI_MATCHING": True,
    "COMPLIANT_BCP_RFC9700_PKCE_REQUIRED": True,
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"},
        "bare": {"format": "%(message)s"},
    },
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": "line"},
        "stdout": {"class": "logging.StreamHandler", "formatter": "bare", "stream": sys.stdout},
    },
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        "celery": {"level": "WARNING"},
        "django.request": {"level": "ERROR"},
        "stagecraft.access": {
            "handlers": ["stdout"],
            "level": "INFO" if ACCESS_LOG else "CRITICAL",
            "propagate": False,
        },
    },
}
REST_FRAMEWORK: dict[str, Any] = {"UNAUTHENTICATED_USER": None}
