"""Starts the runtime client as the bootstrap file of a Lambda image does.

Run by the Python that plays the image's, of any version: the function's folder comes first on
sys.path, then the layers, then the client; ``.pth`` files of the first two are obeyed.
"""

from __future__ import annotations

import os
import runpy
import site
import sys


def main() -> None:
    """Set sys.path, then hand over to the client."""
    task_root = os.environ["LAMBDA_TASK_ROOT"]
    folders = [task_root]
    for layer in filter(None, os.environ["CROSSDEPS_LAYERS"].split(os.pathsep)):
        version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
        folders += [f"{layer}/python/lib/{version}/site-packages", f"{layer}/python"]
    sys.path[0:1] = [*folders, os.environ["LAMBDA_RUNTIME_DIR"]]
    for folder in folders:
        site.addsitedir(folder)
    os.chdir(task_root)
    runpy.run_module("awslambdaric", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
