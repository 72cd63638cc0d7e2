"""The version of crossdeps."""

__version__ = "0.1.0"
