"""The routes about permissions: the contract's under `/api/v1/`, ours under `/api/stagecraft/v1/access/`."""

from django.urls import path

from portal.access import asking, token_views, views
from portal.access.endpoint import ANYONE, Handler, endpoint

WHY = Handler(asking.show_why, asking.Question.bind, ANYONE)
TOKENS = endpoint(
    get=Handler(token_views.list_tokens, action=ANYONE), post=Handler(token_views.create_token, action=ANYONE)
)
TOKEN = endpoint(delete=Handler(token_views.revoke_token, action=ANYONE))
WHO_CAN = Handler(asking.show_who_can, asking.WhoQuestion.bind, asking.SEE_ACCESS)
urlpatterns = [
    path("api/v1/authz/actions", endpoint(get=Handler(views.show_actions, action=ANYONE))),
    path("api/v1/authz/profile", endpoint(get=Handler(views.show_profile, views.bind_place, ANYONE))),
    path("api/v1/authz/evaluates", endpoint(post=Handler(views.evaluate, action=ANYONE))),
    path("api/v1/authn/subject-types", endpoint(get=Handler(views.show_subject_types, action=ANYONE))),
    path("api/stagecraft/v1/access/actions", endpoint(get=Handler(views.show_described_actions, action=ANYONE))),
    path("api/stagecraft/v1/access/tokens", TOKENS),
    path("api/stagecraft/v1/access/tokens/<int:number>", TOKEN),
    path("api/stagecraft/v1/access/why", endpoint(get=WHY)),
    path("api/stagecraft/v1/access/who-can", endpoint(get=WHO_CAN)),
]
