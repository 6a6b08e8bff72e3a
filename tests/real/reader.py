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
    answers, sys.stdout = sys.stdout, sys.stderr  # the log of requests goes to standard output
    os.environ["DJANGO_SETTINGS_MODULE"] = "portal.settings"
    import django

    django.setup()
    from django.conf import settings
    from django.test import Client

    settings.ALLOWED_HOSTS = ["testserver"]
    client = Client()
    print("{}", file=answers, flush=True)
    for line in sys.stdin:
        wanted = json.loads(line)
        reply = client.get(wanted["path"], headers={"Authorization": f"Bearer {wanted['token']}"})
        items = reply.json().get("items") if reply.status_code == 200 else None
        answer = {"status": reply.status_code, "items": None if items is None else len(items)}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
