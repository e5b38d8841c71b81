from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.utils import timezone

from realtime.keys import (
    authenticate,
)
from realtime.models import ApiKey


@pytest.mark.django_db
def test_command_prints_the_key_alone(capsys):
    user = User.objects.create_user("mia")

    call_command(
        "make_api_key",
        user.username,
        "--name=Home",
        "--scope=lab",
        "--scope=metrics",
        "--days=3",
    )

    key = capsys.readouterr().out.strip()
    grant = authenticate([(b"x-api-key", key.encode())])
    assert grant is not None
    assert grant.scopes == ("lab", "metrics")
    assert ApiKey.objects.filter(
        expires_at__lt=timezone.now() + timedelta(days=4)
    ).exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["nobody", "--name=x", "--scope=lab"], "no user 'nobody'"),
        (["mia", "--name=x", "--scope=nowhere"], "No room is called 'nowhere'"),
        (["mia", "--name=", "--scope=lab"], "blank"),
        (["mia", "--name=x", "--scope=lab", "--days=0"], "Expected 1 to"),
        (["mia", "--name=x", "--scope=lab", "--days=999999999999"], "Expected 1 to"),
        (["tom", "--name=x", "--scope=lab"], "locked"),
    ],
)
def test_command_refuses_in_a_sentence(arguments, why):
    User.objects.create_user("mia")
    User.objects.create_user("tom", is_active=False)

    with pytest.raises(CommandError, match=why):
        call_command("make_api_key", *arguments)
    assert not ApiKey.objects.exists()
