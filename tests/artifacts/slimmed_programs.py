"""Popular projects with a real use of each, run from a directory that ``--slim`` made.

``python -m tests.artifacts.slimmed_programs [NAME...]`` builds and runs all, or those named.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

import crossdeps

PROGRAMS: dict[str, str] = {
    # Files that look like stubs, sources, headers or tests are what these projects are for.
    "mypy": """
from mypy import api
text = "import os, json, collections\\nx: int = len(os.listdir('.'))\\nprint(json.dumps(x))\\n"
out, err, code = api.run(["--cache-dir", os.devnull, "-c", text])
assert code == 0, (out, err)
""",
    "jedi": """
import jedi
names = {each.name for each in jedi.Script("import os\\nos.path.join('a', 'b').").complete(2, 23)}
assert "upper" in names, names
""",
    "cython": """
open("m.pyx", "w").write("from libc.math cimport sin\\nfrom cpython.list cimport PyList_New\\n"
                         "cdef extern from 'x.h': pass\\ndef f(double x): return sin(x)\\n")
from Cython.Compiler.Main import compile
assert not compile("m.pyx").num_errors
assert os.path.getsize("m.c") > 10000
""",
    "pybind11": """
import pybind11
assert os.path.isfile(os.path.join(pybind11.get_include(), "pybind11", "pybind11.h"))
assert os.path.isfile(os.path.join(pybind11.get_cmake_dir(), "pybind11Config.cmake"))
""",
    "nanobind": """
import nanobind
assert os.path.isfile(os.path.join(nanobind.include_dir(), "nanobind", "nanobind.h"))
assert os.path.isfile(os.path.join(nanobind.source_dir(), "nb_func.cpp"))
""",
    "cmake": """
import subprocess, cmake
open("CMakeLists.txt", "w").write("cmake_minimum_required(VERSION 3.15)\\nproject(x C CXX)\\n")
subprocess.run([os.path.join(cmake.CMAKE_BIN_DIR, "cmake"), "-S", ".", "-B", "out"], check=True)
""",
    "ziglang": """
import subprocess
open("x.c", "w").write("#include <stdio.h>\\n#include <math.h>\\n#include <stdlib.h>\\n"
                       "int main(void) { puts(\\"works\\"); return 0; }\\n")
environment = {**os.environ, "ZIG_GLOBAL_CACHE_DIR": os.getcwd()}
zig = os.path.join(os.path.dirname(__import__("ziglang").__file__), "zig")
subprocess.run([zig, "cc", "-target", "x86_64-linux-musl", "-c", "x.c", "-o", "x.o"], check=True,
               env=environment)
assert os.path.getsize("x.o") > 100
""",
    "gensim": """
from gensim.models import Word2Vec
from gensim.test.utils import common_texts, datapath
model = Word2Vec(sentences=common_texts, vector_size=8, min_count=1, workers=1, epochs=1)
assert len(model.wv["computer"]) == 8
assert os.path.isfile(datapath("euclidean_vectors.bin"))
""",
    "twisted": """
from twisted.internet.testing import StringTransport
from twisted.protocols.basic import LineReceiver
from twisted.internet.defer import Deferred
from twisted.web import server, resource
from twisted.trial import unittest
import twisted.web.client, twisted.words.protocols.irc, twisted.test.proto_helpers
class Case(unittest.TestCase): ...
""",
    "numpy": """
import numpy as np, numpy.testing, numpy.f2py, numpy.ma, numpy.random
np.testing.assert_allclose(np.linalg.inv(np.eye(3) * 2), np.eye(3) / 2)
assert np.random.default_rng(0).normal(size=4).shape == (4,)
""",
    "pandas": """
import pandas as pd, pandas.testing
frame = pd.DataFrame({"a": [1, 2, 2], "b": [3.0, 4.0, 5.0]})
assert frame.groupby("a").sum().loc[2, "b"] == 9
assert pd.read_csv(__import__("io").StringIO(frame.to_csv())).shape == (3, 3)
""",
    "scipy": """
from scipy import optimize, stats, sparse, signal, spatial, integrate, linalg, special
assert abs(optimize.brentq(lambda x: x * x - 2, 0, 2) - 2 ** 0.5) < 1e-9
assert stats.norm.cdf(0) == 0.5 and special.erf(0) == 0
""",
    "scikit-learn": """
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.utils.estimator_checks import check_estimator
x, y = load_iris(return_X_y=True)
assert RandomForestClassifier(5, random_state=0).fit(x, y).score(x, y) > 0.9
""",
    "scikit-image": """
import skimage.filters, skimage.data, skimage.measure, skimage.transform
image = skimage.data.camera()
assert skimage.filters.gaussian(image).shape == image.shape
assert skimage.measure.label(image > 100).max()
""",
    "matplotlib": """
import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
plt.plot([1, 2]); plt.title("$x^2$"); plt.savefig("x.png"); plt.savefig("x.pdf")
""",
    "seaborn": """
import matplotlib; matplotlib.use("Agg")
import seaborn, pandas
seaborn.scatterplot(pandas.DataFrame({"x": [1], "y": [2]}), x="x", y="y").figure.savefig("x.png")
""",
    "statsmodels": """
import numpy as np, statsmodels.api as sm
assert sm.OLS(np.arange(5.0), sm.add_constant(np.arange(5.0))).fit().rsquared > 0.99
""",
    "sympy": """
import sympy
x = sympy.symbols("x")
assert sympy.integrate(sympy.cos(x), x) == sympy.sin(x)
assert sympy.lambdify(x, x ** 2)(3) == 9
""",
    "networkx": """
import networkx
assert networkx.shortest_path(networkx.karate_club_graph(), 0, 33)
""",
    "numba": """
import numba
@numba.njit
def add(a, b): return a + b
assert add(1, 2) == 3
""",
    "pyarrow": """
import pyarrow as pa, pyarrow.parquet as pq, pyarrow.compute as pc, pyarrow.dataset
table = pa.table({"a": [1, 2, 3]})
pq.write_table(table, "x.parquet")
assert pc.sum(pq.read_table("x.parquet")["a"]).as_py() == 6
""",
    "polars": """
import polars as pl
assert pl.DataFrame({"a": [1, 2]}).select(pl.col("a").sum()).item() == 3
""",
    "duckdb": """
import duckdb
assert duckdb.sql("select 42").fetchall() == [(42,)]
""",
    "h5py": """
import h5py
with h5py.File("x.h5", "w") as file: file["a"] = [1, 2]
assert h5py.File("x.h5")["a"][1] == 2
""",
    "shapely": """
from shapely.geometry import Point
assert 3.1 < Point(0, 0).buffer(1).area < 3.2
""",
    "pyproj": """
import pyproj
assert pyproj.Transformer.from_crs(4326, 3857).transform(1, 1)[0] > 100000
""",
    "opencv-python-headless": """
import cv2, numpy as np
assert cv2.GaussianBlur(np.zeros((9, 9), np.uint8), (3, 3), 0).shape == (9, 9)
""",
    "pillow": """
from PIL import Image, ImageDraw, ImageFont
image = Image.new("RGB", (9, 9)); ImageDraw.Draw(image).text((0, 0), "x"); image.save("x.png")
assert Image.open("x.png").size == (9, 9)
""",
    "lxml": """
from lxml import etree, html, isoschematron
import lxml.isoschematron
assert etree.fromstring("<a><b/></a>").xpath("//b")
assert html.fromstring("<p>x</p>").text == "x"
""",
    "pydantic": """
import pydantic
class Model(pydantic.BaseModel): a: int
assert Model(a="1").a == 1
""",
    "fastapi[standard]": """
from fastapi import FastAPI
from fastapi.testclient import TestClient
app = FastAPI()
@app.get("/")
def root(): return {"a": 1}
assert TestClient(app).get("/").json() == {"a": 1}
""",
    "django": """
import django
from django.conf import settings
settings.configure(ROOT_URLCONF="__main__", ALLOWED_HOSTS=["*"], INSTALLED_APPS=[
    "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.admin",
    "django.contrib.messages", "django.contrib.sessions"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}})
django.setup()
from django.core.management import call_command
from django.contrib.auth.models import User
from django.test import Client
urlpatterns = []
call_command("migrate", verbosity=0)
User.objects.create_user("a", password="b")
assert User.objects.count() == 1 and Client().get("/").status_code == 404
""",
    "flask": """
import flask
app = flask.Flask("x")
@app.route("/")
def root(): return "a"
assert app.test_client().get("/").data == b"a"
""",
    "jinja2": "import jinja2; assert jinja2.Template('{{ a }}').render(a=1) == '1'",
    "sqlalchemy": """
import sqlalchemy as sa, sqlalchemy.orm
with sa.create_engine("sqlite://").connect() as connection:
    assert connection.execute(sa.text("select 1")).scalar() == 1
""",
    "alembic": """
import alembic.command, alembic.config
configuration = alembic.config.Config()
configuration.config_file_name = "alembic.ini"
alembic.command.init(configuration, "migrations")
assert os.path.isfile("migrations/env.py")
""",
    "celery": """
import celery
app = celery.Celery("x", broker="memory://", backend="cache+memory://")
app.conf.task_always_eager = True
@app.task
def add(a, b): return a + b
assert add.delay(1, 2).get() == 3
import celery.contrib.testing.app
""",
    "boto3": """
import boto3
client = boto3.client("s3", region_name="eu-west-1", aws_access_key_id="a",
                      aws_secret_access_key="b")
assert client.generate_presigned_url("get_object", Params={"Bucket": "a", "Key": "b"})
""",
    "requests": "import requests, certifi; assert os.path.getsize(certifi.where()) > 100000",
    "httpx[http2,brotli]": """
import httpx
transport = httpx.MockTransport(lambda request: httpx.Response(200))
assert httpx.Client(transport=transport, http2=True).get("http://a").status_code == 200
""",
    "aiohttp": """
import asyncio, aiohttp, aiohttp.web
from aiohttp.test_utils import TestClient, TestServer
async def root(request): return aiohttp.web.Response(text="a")
async def run():
    app = aiohttp.web.Application(); app.router.add_get("/", root)
    async with TestClient(TestServer(app)) as client:
        assert await (await client.get("/")).text() == "a"
asyncio.run(run())
""",
    "tornado": """
import tornado.ioloop, tornado.web, tornado.testing, tornado.template
assert tornado.template.Template("{{ 1 + 1 }}").generate() == b"2"
""",
    "cryptography": """
from cryptography.fernet import Fernet
key = Fernet.generate_key()
assert Fernet(key).decrypt(Fernet(key).encrypt(b"a")) == b"a"
""",
    "pycryptodome": """
from Crypto.Cipher import AES
from Crypto.PublicKey import RSA
assert len(AES.new(b"k" * 16, AES.MODE_GCM).encrypt(b"abc")) == 3
""",
    "paramiko": "import paramiko; assert paramiko.RSAKey.generate(1024).get_bits() == 1024",
    "cffi": """
import cffi
ffi = cffi.FFI(); ffi.cdef("int abs(int);")
assert ffi.dlopen(None).abs(-3) == 3
ffi.set_source("_x", "int one(void) { return 1; }"); ffi.cdef("int one(void);")
ffi.emit_c_code("_x.c")
assert os.path.getsize("_x.c") > 1000
""",
    "grpcio-tools": """
import grpc_tools
from grpc_tools import protoc
open("x.proto", "w").write('syntax = "proto3"; import "google/protobuf/timestamp.proto";'
                           ' message A { google.protobuf.Timestamp a = 1; }')
include = os.path.join(os.path.dirname(grpc_tools.__file__), "_proto")
assert protoc.main(["", "-I.", "-I" + include, "--python_out=.", "x.proto"]) == 0
""",
    "nltk": """
from nltk.stem import PorterStemmer
assert PorterStemmer().stem("running") == "run"
""",
    "spacy": """
import spacy
assert [token.text for token in spacy.blank("en")("Hello, world")] == ["Hello", ",", "world"]
""",
    "tokenizers": """
from tokenizers import Tokenizer, models
assert Tokenizer(models.BPE()).get_vocab_size() == 0
""",
    "openai": "import openai; assert openai.OpenAI(api_key='a').chat.completions",
    "langchain-core": """
from langchain_core.prompts import PromptTemplate
assert PromptTemplate.from_template("a {b}").format(b=1) == "a 1"
""",
    "ipython": """
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
assert shell.run_cell("1 + 1").result == 2
""",
    "jupyter-server": "import jupyter_server.serverapp as s; assert s.ServerApp.instance()",
    "sphinx": """
import sphinx.cmd.build
os.mkdir("in"); open("in/index.rst", "w").write("A\\n=\\n\\ntext\\n"); open("in/conf.py", "w")
assert sphinx.cmd.build.main(["-q", "-b", "html", "in", "out"]) == 0
assert os.path.isfile("out/index.html")
""",
    "pylint": """
from pylint.lint import Run
open("m.py", "w").write("import json\\n")
assert Run(["--disable=all", "--enable=unused-import", "m.py"], exit=False).linter.msg_status
""",
    "black": "import black; assert black.format_str('a=1', mode=black.Mode()) == 'a = 1\\n'",
    "pytest": """
import pytest
open("test_x.py", "w").write("def test_a(tmp_path): assert tmp_path\\n")
assert pytest.main(["-q", "-p", "no:cacheprovider", "test_x.py"]) == 0
""",
    "hypothesis": """
from hypothesis import given, strategies as st
@given(st.emails())
def check(a): assert "@" in a
check()
""",
    "setuptools": """
import setuptools
os.mkdir("p"); open("p/__init__.py", "w")
setuptools.setup(name="p", packages=["p"], script_args=["-q", "bdist_wheel"])
assert os.listdir("dist")
""",
    "psycopg[binary]": "import psycopg; assert psycopg.pq.__impl__ == 'binary'",
    "pymongo": "import bson; assert bson.decode(bson.encode({'a': 1})) == {'a': 1}",
    "reportlab": """
from reportlab.pdfgen.canvas import Canvas
canvas = Canvas("x.pdf"); canvas.drawString(9, 9, "a"); canvas.save()
""",
    "openpyxl": """
import openpyxl
book = openpyxl.Workbook(); book.active["A1"] = 1; book.save("x.xlsx")
assert openpyxl.load_workbook("x.xlsx").active["A1"].value == 1
""",
    "docutils": """
import docutils.core
for writer in ("html5", "latex", "manpage", "odt"):
    text = "A\\n=\\n\\n|alpha|\\n\\n.. include:: <isogrk1.txt>\\n"
    assert docutils.core.publish_string(text, writer=writer)
""",
    "babel": """
import babel.numbers
assert babel.numbers.format_decimal(1234, locale="de") == "1.234"
""",
    "plotly": """
import plotly.graph_objects as go
assert "<div" in go.Figure(go.Scatter(y=[1, 2])).to_html()
""",
    "lazy-loader": "import lazy_loader; assert lazy_loader.load('json').dumps(1) == '1'",
    "pyinstaller": "import PyInstaller.__main__, PyInstaller.building.build_main",
    "ortools": """
from ortools.sat.python import cp_model
model = cp_model.CpModel(); x = model.new_int_var(0, 5, "x"); model.maximize(x)
solver = cp_model.CpSolver(); solver.solve(model); assert solver.value(x) == 5
""",
    "pythran": """
import pythran
name, code = "m", "#pythran export f(int)\\ndef f(x): return x\\n"
assert pythran.generate_cxx(name, code)
assert os.path.isfile(os.path.join(os.path.dirname(pythran.__file__), "pythonic/core.hpp"))
""",
    "triton": "import triton, triton.language; from triton.runtime import driver",
}

_START = """\
import os, sys
sys.path.insert(0, {directory!r})
os.environ["PYTHONPATH"] = {directory!r}
sys.dont_write_bytecode = True
"""


def build_slim(requirement: str, output: Path, *, cache: Path | None = None) -> crossdeps.Report:
    """Build *requirement* for the Python that runs this, without what ``--slim`` removes."""
    target = crossdeps.Target(
        python=f"{sys.version_info[0]}.{sys.version_info[1]}",
        arch=platform.machine(),
        glibc="2.34",
    )
    return crossdeps.build([requirement], target, output, slim=True, cache_dir=cache)


def run_program(requirement: str, directory: Path, work: Path) -> str:
    """Run the program of *requirement* with *directory* as its only packages.

    :param work: an empty directory to run it in
    :returns: what it printed if it fails; else empty
    """
    text = _START.format(directory=str(directory)) + PROGRAMS[requirement]
    (work / "__main__.py").write_text(text)
    python = getattr(sys, "_base_executable", sys.executable)
    done = subprocess.run(
        [python, "-s", "-S", "-B", str(work / "__main__.py")],
        cwd=work,
        env={**os.environ, "HOME": str(work), "PYTHONPATH": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
        check=False,
    )
    return f"{done.stdout[-3000:]}\nexit code {done.returncode}" if done.returncode else ""


def main() -> None:
    """Build and run each program, and print what fails."""
    failed = []
    for requirement in sys.argv[1:] or PROGRAMS:
        with tempfile.TemporaryDirectory() as folder:
            directory, work = Path(folder, "package"), Path(folder, "work")
            work.mkdir()
            removed: dict[str, int] = {}
            try:
                report = build_slim(requirement, directory)
            except crossdeps.CrossdepsError as error:
                output = f"cannot be built: {error}"
            else:
                output = run_program(requirement, directory, work)
                for rule, _, size in report.removed:
                    removed[rule] = removed.get(rule, 0) + size
        failed += [requirement] if output else []
        sys.stdout.write(f"{requirement}: {output or 'works'} {removed}\n")
        sys.stdout.flush()
    sys.stdout.write(f"{len(failed)} fail: {failed}\n")


if __name__ == "__main__":
    main()
