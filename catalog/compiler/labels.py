"""Labels and annotations of the contract, and the label sets that the platform puts on what it renders."""

from __future__ import annotations

NAMESPACE = "openchoreo.dev/namespace"
PROJECT = "openchoreo.dev/project"
PROJECT_UID = "openchoreo.dev/project-uid"
COMPONENT = "openchoreo.dev/component"
COMPONENT_UID = "openchoreo.dev/component-uid"
RESOURCE = "openchoreo.dev/resource"
RESOURCE_UID = "openchoreo.dev/resource-uid"
ENVIRONMENT = "openchoreo.dev/environment"
ENVIRONMENT_UID = "openchoreo.dev/environment-uid"
SYSTEM_COMPONENT = "openchoreo.dev/system-component"
ENDPOINT_NAME = "openchoreo.dev/endpoint-name"
ENDPOINT_VISIBILITY = "openchoreo.dev/endpoint-visibility"

ENDPOINT_BASE_PATH_ANNOTATION = "openchoreo.dev/endpoint-base-path"
RESOURCE_HASH_ANNOTATION = "openchoreo.dev/dp-resource-hash"
NETWORK_POLICY_PROVIDER_ANNOTATION = "openchoreo.dev/networkpolicyprovider"
