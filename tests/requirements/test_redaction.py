"""No secret of a URL is ever shown."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossdeps.text import redact, without_login
from tests.support.growth import LINEAR, growth

CASES = {
    "https://index.example/simple/": "https://index.example/simple/",
    "https://me:secret@index.example/simple/": "https://****@index.example/simple/",
    "https://secret@index.example": "https://****@index.example",
    "https://:secret@index.example": "https://****@index.example",
    "https://me:@index.example": "https://****@index.example",
    "https://me:sec@ret@index.example/a@b": "https://****@index.example/a@b",
    "https://me:secret@[::1]:8080/": "https://****@[::1]:8080/",
    "https://[::1]:8080/a@b": "https://[::1]:8080/a@b",
    "https://index.example:8080/a@b": "https://index.example:8080/a@b",
    "https://index.example?x=me:secret@other": "https://index.example?x=me:secret@other",
    "HTTPS://me:secret@INDEX.example": "HTTPS://****@INDEX.example",
    "https://me:sec/ret@index.example/simple": "https://****@index.example/simple",
    "https://me:sec?r#et@index.example/simple": "https://****@index.example/simple",
    "https:\\\\me:secret@index.example": "****@index.example",
    "me:secret@index.example/simple": "****@index.example/simple",
    "https:/me:secret@index.example/": "https:/****@index.example/",
    "/no/such:thing@v1/wheels": "/no/****@v1/wheels",
    "git+https://secret@host.example/p.git@v1": "git+https://****@host.example/p.git@v1",
    "git+ssh://git@host.example/p.git@v1": "git+ssh://git@host.example/p.git@v1",
    "git+ssh://git:secret@host.example/p.git": "git+ssh://****@host.example/p.git",
    "https://proxy.example/https://me:secret@x/": "https://proxy.example/https://****@x/",
    "https://x.example/?a=1&X-Amz-Signature=0f&token=t#sha256=0": (
        "https://x.example/?a=1&X-Amz-Signature=****&token=****#sha256=0"
    ),
    "https://x.example/?sig=abc&design=red": "https://x.example/?sig=****&design=red",
    "file:///home/me@work/wheels": "file:///home/me@work/wheels",
    "../me@work/wheels": "../me@work/wheels",
    "git@host.example:p.git": "git@host.example:p.git",
    "": "",
}


@pytest.mark.parametrize(("url", "shown"), CASES.items())
def test_secrets_are_hidden_and_all_else_stays(url: str, shown: str) -> None:
    assert redact(url) == shown


@pytest.mark.parametrize("url", CASES)
def test_redaction_is_idempotent(url: str) -> None:
    assert redact(redact(url)) == redact(url)


SECRETS = st.text(string.ascii_letters + string.digits + "%:!$&'()*+,;=-._~ü/?#", min_size=4)


@given(user=st.text(string.ascii_letters, min_size=1), password=SECRETS)
def test_no_password_survives(user: str, password: str) -> None:
    """Whatever the password is, also one that should have been percent-encoded."""
    url = f"https://{user}:1x{password}@index.example/simple/"
    assert redact(url) == "https://****@index.example/simple/"


@given(st.text())
def test_any_text_is_taken(text: str) -> None:
    redact(text)


@pytest.mark.parametrize(
    ("start", "part"), [("https://", "a:@"), ("", "a://"), ("https://x/?", "token=1&")]
)
def test_long_text_takes_linear_time(start: str, part: str) -> None:
    assert growth(redact, lambda size: start + part * size, 100_000) <= LINEAR


@pytest.mark.parametrize(
    ("url", "bare"),
    [
        ("https://me:secret@host.example/a.whl?x=1#y", "https://host.example/a.whl?x=1#y"),
        ("https://token@host.example/a.whl?token=t", "https://host.example/a.whl?token=t"),
        ("git+ssh://git@host.example/p.git@v1", "git+ssh://git@host.example/p.git@v1"),
        ("git+https://t@host.example/p.git@v1", "git+https://host.example/p.git@v1"),
        ("https://host.example/a@b.whl", "https://host.example/a@b.whl"),
        ("/home/me:x@work/a.whl", "/home/me:x@work/a.whl"),
    ],
)
def test_a_url_without_its_login_leads_to_the_same(url: str, bare: str) -> None:
    assert without_login(url) == bare
