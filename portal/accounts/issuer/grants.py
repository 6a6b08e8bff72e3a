"""What our own grants share: authenticate the client, let the grant check its part, issue, keep."""

from __future__ import annotations

import json
from typing import Any

from django.db import transaction
from oauthlib.oauth2.rfc6749 import errors
from oauthlib.oauth2.rfc6749.grant_types.base import GrantTypeBase


class OwnGrant(GrantTypeBase):  # type: ignore[misc]
    """A grant of the token endpoint, as a story: `admit` sets `request.user` and `request.scopes`, or refuses."""

    grant_type = ""
    required: tuple[str, ...] = ()
    gives_refresh_token = False

    def admit(self, request: Any) -> None:
        """Check what is special about the grant. Raises an `OAuth2Error`."""
        raise NotImplementedError

    def describe(self, request: Any, token: Any) -> None:
        """Add to the reply."""

    def create_token_response(self, request: Any, token_handler: Any) -> tuple[dict[str, str], str, int]:
        """Headers, body and status of the reply."""
        headers = self._get_default_headers()
        try:
            self.check_form(request)
            self.validate_client_authentication(request)
            self.validate_grant_type(request)
            with transaction.atomic():
                # One transaction, so that what the grant uses up is used up if and only if a token is issued.
                self.admit(request)
                token = token_handler.create_token(request, refresh_token=self.gives_refresh_token)
                self.describe(request, token)
                self.request_validator.save_token(token, request)
        except errors.OAuth2Error as error:
            headers.update(error.headers)
            return headers, error.json, error.status_code
        return headers, json.dumps(token), 200

    def check_form(self, request: Any) -> None:
        """Refuse what lacks a parameter, or has one twice."""
        for name in ("grant_type", "client_id", *self.required):
            if name in request.duplicate_params:
                raise errors.InvalidRequestError(description=f"Duplicate {name} parameter.", request=request)
        for name in self.required:
            if not getattr(request, name, None):
                raise errors.InvalidRequestError(description=f"Missing {name} parameter.", request=request)
