"""Which project has which module, where the two names differ.

Source: the top level of each project's own wheel on the Python Package Index. Only what people
commonly import is here; a module that isn't usually comes from a project of its own name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# The modules of what hosted runtimes have.
PROVIDED_MODULES: Mapping[str, tuple[str, ...]] = {
    "awslambdaric": ("awslambdaric",),
    "boto3": ("boto3",),
    "botocore": ("botocore",),
    "jmespath": ("jmespath",),
    "python-dateutil": ("dateutil",),
    "s3transfer": ("s3transfer",),
    "simplejson": ("simplejson",),
    "six": ("six",),
    "urllib3": ("urllib3",),
}

# Dotted names are below namespace packages, which several projects share.
_PROJECTS: Mapping[str, str] = {
    "Crypto": "pycryptodome",
    "Cryptodome": "pycryptodomex",
    "MySQLdb": "mysqlclient",
    "OpenSSL": "pyopenssl",
    "PIL": "pillow",
    "argon2": "argon2-cffi",
    "attr": "attrs",
    "aws_cdk": "aws-cdk-lib",
    "azure.identity": "azure-identity",
    "azure.storage.blob": "azure-storage-blob",
    "bs4": "beautifulsoup4",
    "bson": "pymongo",
    "cv2": "opencv-python-headless",
    "dateutil": "python-dateutil",
    "decouple": "python-decouple",
    "dns": "dnspython",
    "docx": "python-docx",
    "dotenv": "python-dotenv",
    "elasticapm": "elastic-apm",
    "faiss": "faiss-cpu",
    "fitz": "pymupdf",
    "git": "gitpython",
    "github": "pygithub",
    "google.api_core": "google-api-core",
    "google.auth": "google-auth",
    "google.cloud.bigquery": "google-cloud-bigquery",
    "google.cloud.firestore": "google-cloud-firestore",
    "google.cloud.logging": "google-cloud-logging",
    "google.cloud.pubsub": "google-cloud-pubsub",
    "google.cloud.pubsub_v1": "google-cloud-pubsub",
    "google.cloud.secretmanager": "google-cloud-secret-manager",
    "google.cloud.storage": "google-cloud-storage",
    "google.genai": "google-genai",
    "google.generativeai": "google-generativeai",
    "google.oauth2": "google-auth",
    "google.protobuf": "protobuf",
    "googleapiclient": "google-api-python-client",
    "grpc": "grpcio",
    "jose": "python-jose",
    "jwt": "pyjwt",
    "kafka": "kafka-python",
    "ldap": "python-ldap",
    "magic": "python-magic",
    "multipart": "python-multipart",
    "mysql": "mysql-connector-python",
    "nacl": "pynacl",
    "opensearchpy": "opensearch-py",
    "opentelemetry.sdk": "opentelemetry-sdk",
    "opentelemetry.trace": "opentelemetry-api",
    # setuptools itself says to pin it so by its own warning: newer ones have no pkg_resources.
    "pkg_resources": "setuptools<81",
    "pptx": "python-pptx",
    "psycopg2": "psycopg2-binary",
    "pythonjsonlogger": "python-json-logger",
    "rest_framework": "djangorestframework",
    "ruamel.yaml": "ruamel-yaml",
    "serial": "pyserial",
    "shapefile": "pyshp",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "slugify": "python-slugify",
    "socks": "pysocks",
    "telegram": "python-telegram-bot",
    "usb": "pyusb",
    "websocket": "websocket-client",
    "wx": "wxpython",
    "yaml": "pyyaml",
    "zmq": "pyzmq",
}

# What the standard library once had, or has only of late, and a project that stands in for it.
_FORMER_STDLIB: Mapping[str, str] = {
    "asynchat": "pyasynchat",
    "asyncore": "pyasyncore",
    "cgi": "legacy-cgi",
    "cgitb": "legacy-cgi",
    "graphlib": "graphlib-backport",
    "tomllib": "tomli",
    "zoneinfo": "backports-zoneinfo",
}


def project_of(module: str) -> str | None:
    """The project that likely has *module*, or None where the names tell nothing.

    >>> project_of("yaml"), project_of("google.cloud.storage"), project_of("google.cloud.unheard")
    ('pyyaml', 'google-cloud-storage', None)

    :param module: dotted; its longest known beginning decides
    """
    name = module
    while name:
        found = _PROJECTS.get(name) or _FORMER_STDLIB.get(name)
        if found:
            return found
        name = name.rpartition(".")[0]
    return next((name for name, modules in PROVIDED_MODULES.items() if module in modules), None)


def distribution_name(module: str) -> str | None:
    """The beginning of *module* that names one project below a namespace that several share.

    >>> distribution_name("google.cloud.storage.blob"), distribution_name("yaml.nodes")
    ('google.cloud.storage', None)
    """
    name = module
    while "." in name:
        if name in _PROJECTS:
            return name
        name = name.rpartition(".")[0]
    return None


def known_import_names() -> dict[str, str]:
    """Every module of the table with its project."""
    return dict(_PROJECTS)
