"""A server process of its own, told what to ask: one JSON document a line, `{"path": …, "token": …}` → `{"status": …}`.

    python -m tests.real.reader      with the installation's environment

It goes through the whole of the product's HTTP stack, keeps its caches and its database connection from request to
request, and knows nothing of what other processes do.
"""

from __future__ import annotations

import json
import os
import sys


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "portal.settings"
    import django

    django.setup()
    from django.conf import settings
    from django.test import Client

    settings.ALLOWED_HOSTS = ["testserver"]
    client = Client()
    print("{}", flush=True)
    for line in sys.stdin:
        wanted = json.loads(line)
        reply = client.get(wanted["path"], headers={"Authorization": f"Bearer {wanted['token']}"})
        items = reply.json().get("items") if reply.status_code == 200 else None
        print(json.dumps({"status": reply.status_code, "items": None if items is None else len(items)}), flush=True)


if __name__ == "__main__":
    main()
