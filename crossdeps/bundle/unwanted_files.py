"""Files that nobody intends to deploy: what desktops, editors and deploy tools leave, and secrets.

Names decide, and for keys and JSON files the content: a file of public certificates isn't a secret.
"""

from __future__ import annotations

import re
import stat
from typing import TYPE_CHECKING, Final, Literal

from crossdeps.text import first_words, plural

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

Reason = Literal["secrets", "tools", "links"]

# Patterns are text: ``re`` compiles them on first use, which builds without source never have.
# What desktops and file systems leave in any directory, and nobody has made.
_SYSTEM_FILE = (
    r"(?:.*/)?(?:\.DS_Store|\._[^/]+|\.localized|\.directory|[Tt]humbs\.db|ehthumbs\.db"
    r"|[Dd]esktop\.ini|\.nfs[0-9a-f]+|\.fuse_hidden[0-9a-f]+)"
)
_TOOL_DIRECTORIES: Final = frozenset({
    "cdk.out", ".aws-sam", ".chalice", ".serverless", ".terraform", ".terragrunt-cache", ".pulumi",
    ".sst", ".amplify", ".elasticbeanstalk", ".vercel", ".netlify", ".firebase", ".wrangler",
    ".github", ".gitlab", ".circleci", ".buildkite", ".devcontainer", ".vagrant", ".direnv",
    ".vscode", ".idea", ".fleet", ".zed", ".cursor", ".ipynb_checkpoints",
    "node_modules", "bower_components", "__MACOSX",
})  # fmt: skip
_PRIVATE_DIRECTORIES: Final = frozenset(
    {".aws", ".azure", ".docker", ".gcloud", ".gnupg", ".kube", ".ssh"}
)
_PRIVATE_FILE = (
    r"\.env.*|id_(?:rsa|dsa|ecdsa|ed25519)(?:_sk)?|.*\.(?:p12|pfx|ppk|kdbx)"
    r"|.*\.tfstate.*|.*\.tfvars(?:\.json)?"
    r"|\.(?:npmrc|pypirc|netrc|pgpass|boto|s3cfg|dockercfg|terraformrc|vault-token|git-credentials)"
    r"|_netrc|application_default_credentials\.json|client_secret.*\.json"
)
_MAY_HOLD_KEYS = r".*\.(?:pem|key|crt|cer|cert|p8|pk8|asc|gpg|json)"
_PRIVATE_KEY = rb"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----"
_PUBLIC = rb"-----BEGIN [A-Z0-9 ]*(?:PUBLIC KEY(?: BLOCK)?|CERTIFICATE|PARAMETERS)-----"
# Google's service accounts, and the credentials of a user that its tools keep.
_CREDENTIALS = (
    rb'"type"\s*:\s*"(?:service_account|authorized_user|external_account_authorized_user)"'
    rb'|"private_key"\s*:\s*"-----BEGIN '
)
_MAX_READ, _MAX_CREDENTIALS = 4 << 20, 64 << 10
_MAX_NAMED = 6


def is_system_file(path: str) -> bool:
    """Whether a desktop or file system made the file, such as .DS_Store: nothing of the user."""
    return re.fullmatch(_SYSTEM_FILE, path) is not None


def find_reason(path: Path, *, is_directory: bool) -> Reason | None:
    """Why a file or directory of the user's source is not meant for deployment; None if it is.

    A file that cannot be read is no secret: reading it later reports the error.
    """
    if is_directory:
        if path.name in _TOOL_DIRECTORIES:
            return "tools"
        is_secret = path.name in _PRIVATE_DIRECTORIES or re.fullmatch(r"\.env.*", path.name)
        return "secrets" if is_secret else None
    name = path.name.lower()
    if re.fullmatch(_PRIVATE_FILE, name) or (re.fullmatch(_MAY_HOLD_KEYS, name) and _has_key(path)):
        return "secrets"
    return None


def _has_key(path: Path) -> bool:
    """Whether a file has a private key or credentials; one that is called a key, no public one."""
    suffix = path.suffix.lower()
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):  # reading a pipe would wait
            return False
        if suffix == ".json" and status.st_size > _MAX_CREDENTIALS:
            return False
        with path.open("rb") as file:
            data = file.read(_MAX_READ)
    except OSError:
        return False
    if suffix == ".json":
        return re.search(_CREDENTIALS, data) is not None
    if re.search(_PRIVATE_KEY, data):
        return True
    return suffix == ".key" and not re.search(_PUBLIC, data)


def describe_left_out(left_out: Sequence[tuple[Reason, str]]) -> tuple[str, ...]:
    """Say in a sentence which secrets and what of other tools was left out of the source.

    :param left_out: with paths relative to the source
    """
    secrets = [path for reason, path in left_out if reason == "secrets"]
    others = [path for reason, path in left_out if reason == "tools"]
    parts = []
    if secrets:
        parts.append(f"{first_words(secrets, _MAX_NAMED)} (may hold secrets)")
    if others:
        parts.append(f"{first_words(others, _MAX_NAMED)} (of other tools)")
    if not parts:
        return ()
    how = _how_to_include([*secrets, *others])
    return (f"left out of the source: {'; '.join(parts)}; {how}",)


def describe_links(left_out: Sequence[tuple[Reason, str]]) -> tuple[str, ...]:
    """Say in a sentence which symbolic links were not followed."""
    paths = [path for reason, path in left_out if reason == "links"]
    if not paths:
        return ()
    point = plural(len(paths), "symbolic link points", "symbolic links point")
    names = first_words(paths, _MAX_NAMED)
    text = f"{point} out of the source, and what is there is left out"
    return (f"{text}: {names} ({_how_to_include(paths)})",)


def _how_to_include(paths: Sequence[str]) -> str:
    pattern = re.sub(r"([*?\[\\])", r"\\\1", paths[0])
    return f"--include '/{pattern}' includes {'it' if len(paths) == 1 else 'the first'}"
