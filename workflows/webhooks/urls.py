"""The routes of webhooks. Included at the root by `portal.urls`."""

from django.urls import path

from portal.access.endpoint import public
from workflows.webhooks import views

urlpatterns = [path("api/v1alpha1/autobuild", public(views.autobuild, "POST"))]
