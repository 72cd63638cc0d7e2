"""Functions that use popular projects, with what each must answer.

Every function also says what ``importlib.metadata`` makes of its project: which files RECORD lists
that aren't there, and whether its licence is.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

_METADATA = """
from importlib import metadata

def tell(project, answer):
    files = metadata.files(project)
    lost = [str(file) for file in files if not file.locate().exists()]
    licensed = any("licen" in str(file).lower() for file in files)
    return {"lost": lost, "licensed": licensed, "answer": answer}
"""

AES = """
from Crypto.Cipher import AES
from Crypto.Hash import SHA256

def handler(event, context):
    cipher = AES.new(bytes(range(16)), AES.MODE_ECB)
    text = cipher.encrypt(b"attack at dawn\\2\\2").hex()
    return tell("pycryptodome", [text, SHA256.new(b"abc").hexdigest()[:8]])
"""

NUMPY = """
import numpy
import numpy.fft, numpy.linalg, numpy.ma, numpy.polynomial, numpy.random, numpy.testing

def handler(event, context):
    matrix = numpy.array([[2.0, 0.0], [0.0, 4.0]])
    numpy.testing.assert_allclose(numpy.linalg.inv(matrix) @ matrix, numpy.eye(2))
    numbers = numpy.random.default_rng(0).integers(0, 10, 1000)
    return tell("numpy", [
        numpy.linalg.det(matrix).round(6).item(),
        numpy.fft.fft([1, 0, 0, 0]).real.tolist(),
        bool(0 <= numbers.min() and numbers.max() < 10),
    ])
"""

PANDAS = """
import io
import pandas
import pandas.testing

def handler(event, context):
    table = pandas.read_csv(io.StringIO("city,t\\nUlm,1\\nUlm,3\\nBonn,5\\n"))
    means = table.groupby("city")["t"].mean()
    pandas.testing.assert_series_equal(means, means.copy())
    moment = pandas.Timestamp("2026-07-01 12:00", tz="UTC").tz_convert("Europe/Berlin")
    return tell("pandas", [means.to_dict(), moment.hour, table.to_json(orient="values")])
"""

CRYPTOGRAPHY = """
from cryptography import x509
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

def handler(event, context):
    digest = hashes.Hash(hashes.SHA256())
    digest.update(b"abc")
    key = ec.generate_private_key(ec.SECP256R1())
    signature = key.sign(b"text", ec.ECDSA(hashes.SHA256()))
    key.public_key().verify(signature, b"text", ec.ECDSA(hashes.SHA256()))
    lock = Fernet(Fernet.generate_key())
    name = x509.Name.from_rfc4514_string("CN=example")
    return tell("cryptography", [
        digest.finalize().hex()[:8], lock.decrypt(lock.encrypt(b"text")).decode(),
        name.rfc4514_string(),
    ])
"""

PYDANTIC = """
import datetime
from typing import List
from pydantic import BaseModel, ValidationError

class Order(BaseModel):
    when: datetime.date
    items: List[int]

def handler(event, context):
    order = Order.model_validate_json('{"when": "2026-07-01", "items": ["1", 2]}')
    try:
        Order(when="never", items=[])
    except ValidationError as error:
        wrong = error.errors()[0]["loc"]
    return tell("pydantic", [order.model_dump(mode="json"), list(wrong)])
"""

BOTO3 = """
import boto3

def handler(event, context):
    s3 = boto3.client("s3", endpoint_url=event["endpoint"])
    where = {"LocationConstraint": "eu-central-1"}
    s3.create_bucket(Bucket=event["bucket"], CreateBucketConfiguration=where)
    s3.put_object(Bucket=event["bucket"], Key="key", Body=b"text")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=event["bucket"])
    keys = [one["Key"] for page in pages for one in page["Contents"]]
    body = s3.get_object(Bucket=event["bucket"], Key="key")["Body"].read().decode()
    return tell("boto3", [keys, body])
"""


@dataclass(frozen=True, kw_only=True)
class Function:
    """A project, source that uses it, and what the source answers.

    :param options: further options of the build
    """

    name: str
    project: str
    source: str
    answer: object
    options: tuple[str, ...] = ()

    @property
    def code(self) -> str:
        """What goes into ``app.py``."""
        return textwrap.dedent(_METADATA + self.source)


FUNCTION = Function(
    name="pycryptodome",
    project="pycryptodome",
    source=AES,
    # FIPS 197 and 180-4; the first by openssl enc -aes-128-ecb.
    answer=["b1c64636d3c201d622ea58e3577d5479", "ba7816bf"],
)
_S3 = Function(name="boto3", project="boto3", source=BOTO3, answer=[["key"], "text"])
# As docs/how-to/trim.md has it.
_S3_ALONE = ("--exclude", "botocore/data/*/", "--include", "botocore/data/s3/")
TRIMMED = (
    Function(name="numpy", project="numpy", source=NUMPY, answer=[8.0, [1.0] * 4, True]),
    Function(
        name="pandas",
        project="pandas",
        source=PANDAS,
        answer=[{"Bonn": 5.0, "Ulm": 2.0}, 14, '[["Ulm",1],["Ulm",3],["Bonn",5]]'],
    ),
    Function(
        name="cryptography",
        project="cryptography",
        source=CRYPTOGRAPHY,
        answer=["ba7816bf", "text", "CN=example"],
    ),
    Function(
        name="pydantic",
        project="pydantic",
        source=PYDANTIC,
        answer=[{"when": "2026-07-01", "items": [1, 2]}, ["when"]],
    ),
    _S3,
    Function(
        name="boto3-s3-alone",
        project="boto3",
        source=BOTO3,
        answer=_S3.answer,
        options=_S3_ALONE,
    ),
)
