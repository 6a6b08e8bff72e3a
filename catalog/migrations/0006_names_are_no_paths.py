"""A CHECK on the name of every kind's row.

One operation for all kinds: each `AddConstraint` of its own would render the whole state of the models again.
"""

from django.db import migrations, models
from django.db.migrations.operations.base import Operation
from django.db.models.functions import Lower

KINDS = (
    "namespace",
    "authzrole",
    "authzrolebinding",
    "clusterauthzrole",
    "clusterauthzrolebinding",
    "clustercomponenttype",
    "clusterdataplane",
    "clusterobservabilityplane",
    "clusterprojecttype",
    "clusterresourcetype",
    "clustertrait",
    "clusterworkflow",
    "clusterworkflowplane",
    "component",
    "componentrelease",
    "componenttype",
    "dataplane",
    "deploymentpipeline",
    "environment",
    "observabilityalertrule",
    "observabilityalertsnotificationchannel",
    "observabilityplane",
    "project",
    "projectrelease",
    "projectreleasebinding",
    "projecttype",
    "releasebinding",
    "renderedrelease",
    "resource",
    "resourcerelease",
    "resourcereleasebinding",
    "resourcetype",
    "secretreference",
    "trait",
    "workflow",
    "workflowplane",
    "workflowrun",
    "workload",
)
CONDITION = models.Q(
    ('name', Lower('name')),
    models.Q(('name', ''), ('name__contains', '/'), ('name__contains', '\\'), ('name__contains', '%'), ('name__contains', ' '), _connector='OR', _negated=True),
)


def constraint(kind):
    return models.CheckConstraint(condition=CONDITION, name=f"name_of_{kind}")


class AddToAll(Operation):
    """The constraint, for every kind at once."""

    reversible = True

    def state_forwards(self, app_label, state):
        for kind in KINDS:
            migrations.AddConstraint(kind, constraint(kind)).state_forwards(app_label, state)

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        for kind in KINDS:
            schema_editor.add_constraint(to_state.apps.get_model(app_label, kind), constraint(kind))

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        for kind in KINDS:
            schema_editor.remove_constraint(to_state.apps.get_model(app_label, kind), constraint(kind))

    def describe(self):
        return "Names are no paths"


class Migration(migrations.Migration):
    dependencies = [("catalog", "0005_kubernetes_planes")]

    operations = [AddToAll()]
