"""The Kubernetes control plane as one program, built from the Go module proxy and cached outside the tree.

The cache's name is the hash of what the program is made from, so a change builds anew and nothing else does. The first
build takes about ten CPU-minutes on nothing but the Go toolchain; afterwards only the program is kept, not the caches
of the build.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.real.services import Unavailable

SOURCE = Path(__file__).resolve().parent / "kubernetes"
KUBERNETES = "v1.36.3"
CRD_MODULES = {
    "gateway-api": ("sigs.k8s.io/gateway-api", "v1.5.1", "config/crd/standard"),
    "argo": ("github.com/argoproj/argo-workflows/v3", "v3.6.0", "manifests/base/crds/minimal"),
    "external-secrets": ("github.com/external-secrets/external-secrets", "v0.20.4", "config/crds/bases"),
}
"""Custom resources that releases are made of: module, version, and the folder of its definitions."""


def kubernetes() -> Path:
    """The program; `kubernetes kube-apiserver …` and so on. Raises `Unavailable`."""
    program = kept_program()
    with locked(cache() / "kubernetes.lock"):
        if not program.exists():
            program.parent.mkdir(parents=True, exist_ok=True)
            build(SOURCE, program)
    return program


def is_built() -> bool:
    """Whether the program is there already."""
    return kept_program().exists()


def kept_program() -> Path:
    """Where the program lies once it is built."""
    made_of = [SOURCE / name for name in ("go.mod", "go.sum", "main.go")]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in made_of)).hexdigest()[:16]
    return cache() / f"kubernetes-{KUBERNETES}-{digest}" / "kubernetes"


def build(source: Path, program: Path) -> None:
    """Compile the program: 2.3 GB of memory at most, and 6 GB of disk while it lasts."""
    version = "k8s.io/component-base/version"
    minor = KUBERNETES.split(".")[1]
    said = f"-X {version}.gitVersion={KUBERNETES} -X {version}.gitMajor=1 -X {version}.gitMinor={minor}"
    unfinished = program.with_suffix(".unfinished")
    print("stagecraft: building Kubernetes for the tests, once; this takes some minutes", flush=True)
    with go_caches() as environment:
        options = ["-buildvcs=false", "-trimpath", "-ldflags", f"-s -w {said}"]
        run_go(["build", *options, "-o", str(unfinished), "."], source, environment)
    unfinished.rename(program)


def crds(name: str) -> Path:
    """The folder with a module's custom resource definitions. Raises `Unavailable`."""
    module, version, folder = CRD_MODULES[name]
    kept = cache() / f"crds-{name}-{version}"
    with locked(cache() / f"crds-{name}.lock"):
        if not kept.exists():
            unfinished = kept.with_suffix(".unfinished")
            shutil.rmtree(unfinished, ignore_errors=True)
            with go_caches() as environment:
                found = json.loads(run_go(["mod", "download", "-json", f"{module}@{version}"], cache(), environment))
                unfinished.mkdir()
                for path in sorted((Path(found["Dir"]) / folder).glob("*.yaml")):
                    (unfinished / path.name).write_bytes(path.read_bytes())
            unfinished.rename(kept)
    return kept


@contextmanager
def go_caches() -> Iterator[dict[str, str]]:
    """Go's environment: the machine's own caches if it has some, else caches that go when the work is done."""
    settings = {**os.environ, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local"}
    if "GOCACHE" in os.environ or (Path.home() / ".cache" / "go-build").exists():
        yield settings
        return
    with tempfile.TemporaryDirectory(prefix="stagecraft-go-") as own:
        yield {**settings, "GOCACHE": f"{own}/build", "GOPATH": f"{own}/path", "GOFLAGS": "-modcacherw"}


def run_go(arguments: list[str], directory: Path, environment: dict[str, str]) -> str:
    """What the Go toolchain prints. Raises `Unavailable` where it is missing or fails."""
    go = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin")
    if go is None:
        raise Unavailable("there is no Go toolchain (program `go`), which builds Kubernetes for the tests")
    finished = subprocess.run(
        [go, *arguments], cwd=directory, env=environment, capture_output=True, text=True, check=False
    )
    if finished.returncode != 0:
        raise Unavailable(f"go {arguments[0]} failed: {finished.stderr.strip()[-1000:]}")
    return finished.stdout


def cache() -> Path:
    path = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "stagecraft"
    path.mkdir(parents=True, exist_ok=True)
    return path


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """One process at a time: the workers of a test run share the cache."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
