"""Every setting of Stagecraft, read from the environment and typed.

`Configuration` below is the whole list: its field names in upper case are the environment variables, each with its
default and its meaning. A bad value ends the process at start with one sentence per mistake. Django's own settings
follow from it and are not meant to be set one by one.
"""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

BASE_DIR = Path(__file__).resolve().parent.parent


class Configuration(BaseSettings):
    """What can be set, by environment variable. Nothing else in the code reads the environment."""

    model_config = SettingsConfigDict(extra="ignore", case_sensitive=False)

    stagecraft_home: Path = Field(
        default=BASE_DIR / ".stagecraft",
        description="Data directory: database, queue files, Git plane, generated secret key.",
    )
    database_url: str = Field(
        default="",
        description="postgresql://user:password@host:port/name or sqlite:///path; empty: SQLite in the data directory.",
    )
    database_conn_max_age: int = Field(default=60, ge=0, description="Seconds a database connection is kept.")
    celery_broker_url: str = Field(
        default="", description="redis://, amqp:// or filesystem://; empty: files in the data directory."
    )
    secret_key: str = Field(
        default="", description="Signs sessions. Empty: made once and kept in the data directory (one machine only)."
    )
    debug: bool = Field(default=False, description="Django's debug pages. Never on in production.")
    allowed_hosts: str = Field(default="127.0.0.1,localhost,[::1]", description="Host names served, comma-separated.")
    csrf_trusted_origins: str = Field(
        default="", description="Origins of admin and forms behind a proxy, comma-separated."
    )
    public_url: str = Field(default="http://127.0.0.1:8000", description="How users reach this server.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="What is logged: DEBUG, INFO, WARNING or ERROR."
    )

    git_plane_repository: str = Field(
        default="", description="Repository of the embedded Git plane; empty: planes/default.git in the data directory."
    )
    git_plane_branch: str = Field(default="main", description="Branch that deliveries are committed to.")

    reconcile_lease_seconds: int = Field(
        default=60, ge=5, description="How long a worker may hold one object before another may take it over."
    )
    reconcile_sweep_seconds: float = Field(
        default=5.0, gt=0, description="How often a worker looks for work whose message was lost."
    )
    reconcile_batch: int = Field(default=16, ge=1, le=500, description="Objects a worker claims at once.")
    yaml_max_bytes: int = Field(default=10 * 1024 * 1024, ge=1024, description="Largest YAML or JSON input accepted.")


def load_configuration() -> Configuration:
    """Read the environment, or end the process with one readable line per wrong variable."""
    try:
        return Configuration()
    except ValidationError as error:
        for problem in error.errors():
            variable = str(problem["loc"][0]).upper()
            print(
                f"stagecraft: {variable}={problem.get('input')!r} cannot be used: {problem['msg']}. "
                f"Correct or unset {variable} and start again.",
                file=sys.stderr,
            )
        raise SystemExit(2) from None


def refuse(variable: str, reason: str) -> SystemExit:
    """The clear sentence for a value that is well-typed but makes no sense."""
    print(f"stagecraft: {variable} cannot be used: {reason}", file=sys.stderr)
    return SystemExit(2)


CONFIGURATION = load_configuration()
HOME = CONFIGURATION.stagecraft_home
try:
    HOME.mkdir(parents=True, exist_ok=True)
except OSError as error:
    raise refuse(
        "STAGECRAFT_HOME", f"{HOME} cannot be made: {error.strerror}. Name a directory you can write to."
    ) from None


def database(url: str) -> dict[str, Any]:
    """Django's DATABASES entry for a URL."""
    if not url:
        url = f"sqlite:///{HOME / 'stagecraft.sqlite3'}"
    parts = urlsplit(url)
    if parts.scheme in ("postgres", "postgresql"):
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": unquote(parts.path.lstrip("/")),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": unquote(parts.hostname or ""),
            "PORT": str(parts.port or ""),
            "CONN_MAX_AGE": CONFIGURATION.database_conn_max_age,
            "CONN_HEALTH_CHECKS": True,
            "OPTIONS": dict(parse_qsl(parts.query)),
        }
    if parts.scheme == "sqlite":
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": unquote(url.removeprefix("sqlite:///")),
            "OPTIONS": {
                # Writers queue instead of failing: a transaction takes the write lock when it begins.
                "transaction_mode": "IMMEDIATE",
                "timeout": 30,
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-16000;",
            },
        }
    raise refuse("DATABASE_URL", f"its scheme is {parts.scheme!r}. Use postgresql://… or sqlite:///path.")


def secret_key() -> str:
    """The key from the environment, else one made once for this data directory."""
    if CONFIGURATION.secret_key:
        return CONFIGURATION.secret_key
    path = HOME / "secret-key"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(50))
    return path.read_text().strip()


def comma_separated(text: str) -> list[str]:
    return [item.strip() for item in text.split(",") if item.strip()]


SECRET_KEY = secret_key()
DEBUG = CONFIGURATION.debug
ALLOWED_HOSTS = comma_separated(CONFIGURATION.allowed_hosts)
CSRF_TRUSTED_ORIGINS = comma_separated(CONFIGURATION.csrf_trusted_origins)
DATABASES = {"default": database(CONFIGURATION.database_url)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "portal.accounts",
    "portal.quickstart",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "guardian",
    "catalog",
    "workflows",
]
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend", "guardian.backends.ObjectPermissionBackend"]
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

CELERY_BROKER_URL = CONFIGURATION.celery_broker_url or "filesystem://localhost//"
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

GIT_PLANE_REPOSITORY = CONFIGURATION.git_plane_repository or str(HOME / "planes" / "default.git")
GIT_PLANE_BRANCH = CONFIGURATION.git_plane_branch
RECONCILE_LEASE_SECONDS = CONFIGURATION.reconcile_lease_seconds
RECONCILE_SWEEP_SECONDS = CONFIGURATION.reconcile_sweep_seconds
RECONCILE_BATCH = CONFIGURATION.reconcile_batch
YAML_MAX_BYTES = CONFIGURATION.yaml_max_bytes
PUBLIC_URL = CONFIGURATION.public_url

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = PUBLIC_URL.startswith("https://")
CSRF_COOKIE_SECURE = SESSION_COOKIE_SECURE
DATA_UPLOAD_MAX_MEMORY_SIZE = YAML_MAX_BYTES

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": CONFIGURATION.log_level},
    "loggers": {"celery": {"level": "WARNING"}, "django.request": {"level": "ERROR"}},
}
REST_FRAMEWORK: dict[str, Any] = {"UNAUTHENTICATED_USER": None}
