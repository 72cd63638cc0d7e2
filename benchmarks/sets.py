"""What is packaged: from one project to a stack that no function can hold."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class RequirementSet:
    """Unpinned requirements, and the Python that they are packaged for.

    :param repeated: how often it is measured in each round; what takes long varies less
    """

    python: str
    requirements: tuple[str, ...]
    repeated: int = 1


SETS = {
    "S": RequirementSet(python="3.9", requirements=("pycryptodome",), repeated=3),
    "M": RequirementSet(
        python="3.12",
        requirements=(
            *("fastapi", "mangum", "pydantic", "pydantic-settings", "sqlalchemy", "alembic"),
            *("psycopg2-binary", "cryptography", "requests", "httpx", "orjson", "python-jose"),
            *("passlib", "bcrypt", "jinja2", "redis", "aws-lambda-powertools"),
        ),
    ),
    "D": RequirementSet(
        python="3.12",
        requirements=("numpy", "pandas", "pyarrow", "boto3", "aws-lambda-powertools"),
    ),
    "L": RequirementSet(
        python="3.12",
        requirements=(
            *("langchain", "langchain-community", "langchain-openai", "langchain-text-splitters"),
            *("fastapi", "uvicorn", "pydantic-settings", "sqlalchemy", "alembic", "asyncpg"),
            *("opentelemetry-sdk", "opentelemetry-exporter-otlp"),
            *("opentelemetry-instrumentation-fastapi", "opentelemetry-instrumentation-requests"),
            *("celery", "redis", "pandas", "scikit-learn", "grpcio", "grpcio-status"),
            *("google-cloud-storage", "google-cloud-bigquery", "boto3", "aiohttp", "httpx"),
            *("cryptography", "python-jose", "jinja2", "beautifulsoup4", "openpyxl"),
        ),
    ),
}
"""Small, middling, data and large; D and L are larger than Lambda allows."""

ARCHITECTURES = ("x86_64", "aarch64")
