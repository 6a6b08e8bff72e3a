"""Actions in the words that people use: deploy, read logs, give roles."""

from __future__ import annotations

from collections.abc import Iterable

from portal.access.actions import action_named, all_actions

VERBS = {
    "clusterauthzrolebinding:create": "give roles everywhere",
    "clusterauthzrole:update": "change roles for all namespaces",
    "authzrolebinding:create": "give roles",
    "authz:bind": "give roles without holding them",
    "authz:escalate": "write roles without holding them",
    "secret:reveal": "read values of secrets",
    "releasebinding:create": "deploy",
    "releasebinding:update": "deploy",
    "releasebinding:delete": "take components out of environments",
    "component:exec": "run commands in containers",
    "component:create": "create components",
    "component:update": "change components",
    "component:delete": "delete components",
    "workflowrun:create": "start builds and workflows",
    "resource:create": "create resources",
    "resource:delete": "delete resources",
    "project:create": "create projects",
    "project:delete": "delete projects",
    "namespace:create": "create namespaces",
    "environment:update": "change environments",
    "logs:view": "read logs",
    "component:view": "see components",
    "releasebinding:view": "see what is deployed",
}
"""In the order in which they matter to a reader: what gives power first."""
SHOWN_MAX = 4


def verb_of(action: str) -> str:
    """What an action lets people do."""
    known = action_named(action)
    if action in VERBS:
        return VERBS[action]
    return action if known is None else known.description[:1].lower() + known.description[1:]


def in_words(actions: Iterable[str]) -> str:
    """`deploy, read logs and 12 more actions`: the weightiest first."""
    actions = list(actions)
    if len(actions) > 10 and len(actions) >= len(all_actions()):
        return "everything"
    order = {action: number for number, action in enumerate(VERBS)}
    ranked = sorted(actions, key=lambda action: (order.get(action, len(order)), action))
    verbs = list(dict.fromkeys(map(verb_of, ranked)))
    shown = verbs[:SHOWN_MAX]
    told = [action for action in ranked if verb_of(action) in shown]
    left = len(actions) - len(told)
    if left:
        return f"{', '.join(shown)} and {left} more action{'' if left == 1 else 's'}"
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
