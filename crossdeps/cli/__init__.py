"""The command line: arguments to Options, a verb, a rendering, an exit code.

The only room that prints and reads the process's arguments. Verbs are imported when they are run,
so that ``--help`` loads nothing that it doesn't need.
"""
