"""crossdeps."""
