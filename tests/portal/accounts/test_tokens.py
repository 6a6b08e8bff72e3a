"""Access tokens: shown once, kept as a hash, refused when revoked, expired or of an inactive user."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from portal.accounts.models import AccessToken, User, issue_token, user_of_token

pytestmark = pytest.mark.django_db


@pytest.fixture
def user():
    return User.objects.create_user("ada")


def test_a_token_signs_its_user_in(user):
    assert user_of_token(issue_token(user, "laptop")) == user


def test_the_database_does_not_hold_the_token(user):
    token = issue_token(user, "laptop")
    row = AccessToken.objects.values().get()
    assert token not in str(row) and token.removeprefix("stg_") not in str(row)


def test_unknown_revoked_and_expired_tokens_sign_nobody_in(user):
    assert user_of_token("stg_unknown") is None
    expired = issue_token(user, "old", expires_at=timezone.now() - timedelta(seconds=1))
    assert user_of_token(expired) is None
    revoked = issue_token(user, "lost")
    AccessToken.objects.filter(name="lost").update(revoked_at=timezone.now())
    assert user_of_token(revoked) is None


def test_an_inactive_user_is_signed_out_at_once(user):
    token = issue_token(user, "laptop")
    user.is_active = False
    user.save()
    assert user_of_token(token) is None
