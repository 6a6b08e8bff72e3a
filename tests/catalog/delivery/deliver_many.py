"""A process that delivers to a Git plane again and again, for tests that run several of them or kill them.

    python -m tests.catalog.delivery.deliver_many REPOSITORY NAME COUNT [REMOTE]

Delivers components NAME-0 … NAME-<COUNT-1>, each twice with different content, and prints a line for each delivery.
"""

from __future__ import annotations

import sys
from pathlib import Path

from catalog.delivery.git.plane import GitPlane
from tests.catalog.delivery.deliveries import config_map, delivery, deployment, place


def main(repository: str, name: str, count: str, remote: str = "") -> None:
    plane = GitPlane(Path(repository), remote_url=remote)
    for version in ("1", "2"):
        for number in range(int(count)):
            where = place(f"{name}-{number}")
            plane.apply(delivery(where, config_map(version=version), deployment(image=f"cart:{version}")))
            print(f"{name}-{number} {version}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
