"""The routes under `/api/stagecraft/v1/`."""

from __future__ import annotations

urlpatterns: list = []
