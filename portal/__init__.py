"""Who is asking, may they, what was done: the shell around everything."""

from portal.celery import app as celery_app

__all__ = ["celery_app"]
