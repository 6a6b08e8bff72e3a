"""The catalog application: wires the change feed to the reconcilers when Django starts."""

from django.apps import AppConfig


class CatalogConfig(AppConfig):
    name = "catalog"
    verbose_name = "Catalog"

    def ready(self) -> None:
        from catalog.controllers import registry

        registry.connect()
