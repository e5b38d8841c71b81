"""Credentials of sources, kept so that a copy of the database does not hold them: encrypted by the site's secret key."""

from __future__ import annotations

from base64 import urlsafe_b64encode

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from aniworld_site.downloads.models import Source
from aniworld_site.downloads.providers.base import SourceOptions
from aniworld_site.downloads.providers.guarding import read_hosts
from aniworld_site.exceptions import DomainError


def read_options(source: Source) -> SourceOptions:
    """Return what a provider is told of a source.

    Raises:
        DomainError: Its password cannot be read.
        GuardError: What it says of the own network are no hosts.
    """
    return SourceOptions(
        url=source.url,
        username=source.username,
        password=decrypt(source.secret),
        private_hosts=read_hosts(source.private_hosts),
        cookies=source.cookies,
        format=source.format,
    )


def encrypt(text: str) -> str:
    """Return what may be stored; "" for ""."""
    return _make_fernet().encrypt(text.encode()).decode() if text else ""


def decrypt(stored: str) -> str:
    """Return what was encrypted.

    Raises:
        DomainError: The site's secret key is another one now.
    """
    try:
        return _make_fernet().decrypt(stored).decode() if stored else ""
    except InvalidToken as error:
        raise DomainError(
            "The password cannot be read any more, since the site's secret key changed: enter it again."
        ) from error


def _make_fernet() -> Fernet:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"aniworld.sources")
    return Fernet(urlsafe_b64encode(derived.derive(settings.SECRET_KEY.encode())))
