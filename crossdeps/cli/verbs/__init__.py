"""One module a verb, each with ``run(options, console) -> exit code``."""
