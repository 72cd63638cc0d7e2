"""Run commands and print what they took, as JSON: ``python -I -S launch.py OUTPUT COMMANDS``.

A process of its own, because the peak memory of a process counts what its parent held when it was
started. OUTPUT is a file that receives what the commands print; COMMANDS is a JSON list of
argument lists. What follows the first command that fails is not run.
"""

import json
import os
import sys
import time


def main() -> None:
    """Run what the arguments say."""
    output, commands = sys.argv[1], json.loads(sys.argv[2])
    opened = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    actions = [(os.POSIX_SPAWN_DUP2, opened, 1), (os.POSIX_SPAWN_DUP2, opened, 2)]
    cpu, memory, exit_code = 0.0, 0, 0
    begun = time.perf_counter()
    for command in commands:
        process = os.posix_spawnp(command[0], command, os.environ, file_actions=actions)
        _, status, usage = os.wait4(process, 0)
        cpu += usage.ru_utime + usage.ru_stime
        memory = max(memory, usage.ru_maxrss)
        exit_code = os.waitstatus_to_exitcode(status)
        if exit_code:
            break
    wall = time.perf_counter() - begun
    unit = 1 if sys.platform == "darwin" else 1024
    told = {"wall": wall, "cpu": cpu, "memory": memory * unit, "exit_code": exit_code}
    print(json.dumps(told))


if __name__ == "__main__":
    main()
