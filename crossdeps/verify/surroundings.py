"""What will be on the target beside the bundle, and how the bundle is called there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crossdeps.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from packaging.utils import NormalizedName

    from crossdeps.bundle.model import Bundle
    from crossdeps.target import ProvidedProject

# The API of Lambda, FunctionConfiguration.Handler.
_LONGEST_HANDLER = 128


@dataclass(frozen=True, kw_only=True, slots=True)
class Handler:
    """The function that the host calls: ``app.handler``, ``src/app.handler``, ``src.app.handler``.

    :param module: dotted, as the runtime imports it
    :param function: a name at the top level of the module
    """

    text: str
    module: str
    function: str

    @classmethod
    def parse(cls, text: str) -> Handler:
        """Read what Lambda takes as a handler.

        Source: ``awslambdaric``, which splits at the last dot and reads slashes as dots.

        :raises UsageError: if Lambda would refuse it
        """
        module, dot, function = text.rpartition(".")
        dotted = module.replace("/", ".")
        names = (*dotted.split("."), function)
        if len(text) > _LONGEST_HANDLER:
            raise UsageError(f"a handler has at most {_LONGEST_HANDLER} characters")
        if not dot or not all(re.fullmatch(r"[^\W\d][\w-]*", name) for name in names):
            raise UsageError(
                f"{text!r} isn't a handler",
                hint="the module, a dot, the function: app.handler, or src/app.handler",
            )
        return cls(text=text, module=dotted, function=function)


@dataclass(frozen=True, kw_only=True, slots=True)
class Surroundings:
    """What will be on the target beside the bundle.

    :param layers: the layers of the function, in the order in which they are unpacked
    :param provided: what the runtime has; None is what the table of runtimes says
    :param left_out: normalised names of projects that were left to the runtime
    :param handler: what the host calls; None checks no source
    """

    layers: tuple[Bundle, ...] = ()
    provided: Mapping[NormalizedName, ProvidedProject] | None = None
    left_out: frozenset[str] = frozenset()
    handler: Handler | None = None
