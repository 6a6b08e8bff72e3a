"""The types of a release as the reference declares them: facts that its hashes depend on.

A struct is a line of fields in the order of declaration. A field is its Go name and type; the type defaults to
``string``. Types are written as in Go, without the package of the API types. A field's JSON key is its name with a
small first letter, except those in ``_KEYS``. Marks: ``?`` for a field that JSON leaves out when empty, ``inline``
for a struct whose fields stand in its parent's JSON, ``made`` for a list that the reference's controllers make before
they hash, so that an absent one is empty, not nil.
"""

from __future__ import annotations

from typing import Final, NamedTuple

RAW: Final = "RawExtension"


class Field(NamedTuple):
    """One field of a struct."""

    name: str
    type: str
    key: str
    is_optional: bool
    is_inline: bool
    is_empty_when_absent: bool


# Types outside the package of the API types; the releases to be hashed have one in each controller.
PACKAGES: Final = {
    RAW: "runtime.RawExtension",
    "component.ReleaseSpec": "component.ReleaseSpec",
    "project.ReleaseSpec": "project.ReleaseSpec",
    "resource.ReleaseSpec": "resource.ReleaseSpec",
}

# Lists of a component type that are empty, not nil, when the type is cluster-wide.
CLUSTER_TYPE_LISTS: Final = ("allowedWorkflows", "traits", "allowedTraits")

_KEYS = {"ID": "id", "OpenAPIV3Schema": "openAPIV3Schema"}

_DECLARATIONS = {
    "component.ReleaseSpec": """
        ComponentType ComponentReleaseComponentType, Traits? []ComponentReleaseTrait made,
        ComponentProfile? *ComponentProfile, Workload WorkloadTemplateSpec""",
    "ComponentReleaseComponentType": "Kind ComponentTypeRefKind, Name, Spec ComponentTypeSpec",
    "ComponentReleaseTrait": "Kind TraitRefKind, Name, Spec TraitSpec",
    "ComponentProfile": "Parameters? *RawExtension, Traits? []ComponentProfileTrait made",
    "ComponentProfileTrait": "Kind TraitRefKind, Name, InstanceName, Parameters? *RawExtension",
    "project.ReleaseSpec": "ProjectType ProjectReleaseProjectType, Parameters? *RawExtension",
    "ProjectReleaseProjectType": "Kind ProjectTypeRefKind, Name, Spec ProjectTypeSpec",
    "resource.ReleaseSpec": "ResourceType ResourceReleaseResourceType, Parameters? *RawExtension",
    "ResourceReleaseResourceType": "Kind ResourceTypeRefKind, Name, Spec ResourceTypeSpec",
    # Types
    "ComponentTypeSpec": """
        WorkloadType, AllowedWorkflows? []WorkflowRef, Parameters? *SchemaSection, EnvironmentConfigs? *SchemaSection,
        Traits? []ComponentTypeTrait, AllowedTraits? []TraitRef, Validations? []ValidationRule,
        PreRenderValidations? []ValidationRule, PostRenderValidations? []PostRenderValidation,
        Resources []ResourceTemplate""",
    "ProjectTypeSpec": """
        Parameters? *SchemaSection, EnvironmentConfigs? *SchemaSection, Validations? []ValidationRule,
        Resources []ResourceTemplate""",
    "ResourceTypeSpec": """
        Parameters? *SchemaSection, EnvironmentConfigs? *SchemaSection, RetainPolicy? ResourceRetainPolicy,
        Outputs? []ResourceTypeOutput, Resources []ResourceTypeManifest""",
    "SchemaSection": "OpenAPIV3Schema? *RawExtension",
    "WorkflowRef": "Kind? WorkflowRefKind, Name",
    "TraitRef": "Kind? TraitRefKind, Name",
    "ComponentTypeTrait": """
        Kind? TraitRefKind, Name, InstanceName, Parameters? *RawExtension, EnvironmentConfigs? *RawExtension""",
    "ValidationRule": "Rule, Message",
    "PostRenderValidation": "When?, ForEach?, Var?, Target PostRenderTarget, TargetPlane?, Rule, Message",
    "PostRenderTarget": "PatchTarget PatchTarget inline, MustMatch? *bool",
    "PatchTarget": "Group, Version, Kind, Where?",
    "ResourceTemplate": "ID, TargetPlane?, IncludeWhen?, ForEach?, Var?, Template *RawExtension",
    "ResourceTypeManifest": "ID, IncludeWhen?, Template *RawExtension, ReadyWhen?",
    "ResourceTypeOutput": "Name, Value?, SecretKeyRef? *SecretKeyRef, ConfigMapKeyRef? *ConfigMapKeyRef",
    "SecretKeyRef": "Name, Key",
    "ConfigMapKeyRef": "Name, Key",
    # Traits
    "TraitSpec": """
        Parameters? *SchemaSection, EnvironmentConfigs? *SchemaSection, Validations? []ValidationRule,
        PreRenderValidations? []ValidationRule, PostRenderValidations? []PostRenderValidation, Creates? []TraitCreate,
        Patches? []TraitPatch, Removes? []TraitRemove""",
    "TraitCreate": "TargetPlane?, IncludeWhen?, ForEach?, Var?, Template *RawExtension",
    "TraitPatch": "ForEach?, Var?, Target PatchTarget, TargetPlane?, Operations []JSONPatchOperation",
    "JSONPatchOperation": "Op, Path, Value? *RawExtension",
    "TraitRemove": "ForEach?, Var?, Target PatchTarget, TargetPlane?",
    # Workload
    "WorkloadTemplateSpec": """
        Container Container, Endpoints? map[string]WorkloadEndpoint, Dependencies? *WorkloadDependencies""",
    "Container": "Image, Command? []string, Args? []string, Env? []EnvVar, Files? []FileVar",
    "EnvVar": "Key, Value?, ValueFrom? *EnvVarValueFrom",
    "FileVar": "Key, MountPath, Value?, ValueFrom? *EnvVarValueFrom",
    "EnvVarValueFrom": "SecretKeyRef? *SecretKeyRef",
    "WorkloadEndpoint": """
        Visibility? []EndpointVisibility, Type EndpointType, Port int32, TargetPort? int32, DisplayName?, BasePath?,
        Schema? *Schema""",
    "Schema": "Type?, Content?",
    "WorkloadDependencies": "Endpoints? []WorkloadConnection, Resources? []WorkloadResourceDependency",
    "WorkloadConnection": "Project?, Component, Name, Visibility, EnvBindings ConnectionEnvBindings",
    "ConnectionEnvBindings": "Address?, Host?, Port?, BasePath?",
    "WorkloadResourceDependency": "Ref, EnvBindings? map[string]string, FileBindings? map[string]string",
}


def _field(declaration: str) -> Field:
    first, *rest = declaration.split()
    name = first.removesuffix("?")
    marks = {mark for mark in rest if mark in ("inline", "made")}
    types = [word for word in rest if word not in marks]
    key = _KEYS.get(name, name[0].lower() + name[1:])
    return Field(name, types[0] if types else "string", key, first.endswith("?"), "inline" in marks, "made" in marks)


STRUCTS: Final[dict[str, tuple[Field, ...]]] = {
    name: tuple(_field(declaration) for declaration in line.split(",")) for name, line in _DECLARATIONS.items()
}
