"""Forms of the admin for people, service accounts, agents and their tokens: what is wrong is said beside its field."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.contrib.auth.hashers import is_password_usable, make_password
from django.core.exceptions import ValidationError

from portal.access.limited import BadLimits, limits_for
from portal.accounts.models import AccessToken, BadToken, User, check_token

HUMAN = User.PrincipalKind.HUMAN


class PrincipalAddForm(AdminUserCreationForm):  # type: ignore[type-arg]
    """A new account. Service accounts and agents get no password, whatever was typed."""

    def clean(self) -> Any:
        if self.cleaned_data.get("principal_kind", HUMAN) != HUMAN:
            self.cleaned_data["usable_password"] = "false"  # noqa: S105 - a choice of Django's form
        return super().clean()


class PrincipalForm(UserChangeForm):  # type: ignore[type-arg]
    """An account. Who becomes a service account or an agent loses their password."""

    def clean(self) -> Any:
        found = super().clean()
        is_machine = self.cleaned_data.get("principal_kind", HUMAN) != HUMAN
        if is_machine and is_password_usable(self.cleaned_data.get("password", "")):
            self.cleaned_data["password"] = make_password(None)
        return found


class TokenForm(forms.ModelForm):  # type: ignore[type-arg]
    """A new token. `actions` are written with commas or spaces between."""

    actions = forms.CharField(
        required=False, help_text="For example component:view logs:view. Empty: whatever the account may do."
    )

    class Meta:
        model = AccessToken
        fields = ("user", "on_behalf_of", "name", "expires_at", "actions", "namespace", "project")

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        if (ends := self.fields.get("expires_at")) is not None:  # a page that only shows has no fields
            ends.required = False
            ends.help_text = f"Empty: in {settings.TOKEN_DAYS} days. At most {settings.TOKEN_MAX_DAYS} days from now."

    def clean_actions(self) -> list[str]:
        return str(self.cleaned_data["actions"] or "").replace(",", " ").split()

    def clean(self) -> Any:
        """Also resolves the limits, into `limits`."""
        data = super().clean() or {}
        if self.errors:
            return data
        try:
            check_token(data["user"], data["expires_at"], data["on_behalf_of"])
            limits = limits_for(data["actions"], data["namespace"], data["project"])
        except BadToken as error:
            raise ValidationError(str(error)) from None
        except BadLimits as error:
            raise ValidationError({error.field: str(error)}) from None
        data["limits"], self.instance.place_uid = limits, limits.place_uid
        return data
