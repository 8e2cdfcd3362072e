"""Log in to a simulated machine, as one would by SSH: what is typed here runs there as root.

python -m simulator.login mq-01                          one line after the other, until Ctrl-D
echo 'uptime' | python -m simulator.login mq-01          what comes from a pipe, at once
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import urllib.error
import urllib.request


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m simulator.login", description=__doc__)
    parser.add_argument("instance", help="name or id")
    default = os.environ.get("ECS_ENDPOINT", "http://127.0.0.1:8181")
    parser.add_argument("--endpoint", default=default, help="of the simulator (%(default)s)")
    asked = parser.parse_args()
    if not sys.stdin.isatty():
        return typed(asked.endpoint, asked.instance, sys.stdin.read())
    import readline  # noqa: F401  a terminal by itself takes no line of 10,000 characters

    code = 0
    while True:
        try:
            line = input(f"[root@{asked.instance} ~]# ")
        except (EOFError, KeyboardInterrupt):
            return code
        if line.strip():
            code = typed(asked.endpoint, asked.instance, line)


def typed(endpoint: str, instance: str, lines: str) -> int:
    """Print what the machine prints; its exit code, 255 if nobody could log in."""
    body = json.dumps({"instance": instance, "lines": lines}).encode()
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{endpoint}/_simulator/logins", body, timeout=90) as reply:
            told = json.load(reply)
    except urllib.error.HTTPError as error:
        with error:
            print(json.load(error).get("error"), file=sys.stderr)
        return 255
    except OSError as error:
        print(f"no simulator at {endpoint}: {error}", file=sys.stderr)
        return 255
    print(told["output"], end="" if told["output"].endswith("\n") else "\n")
    return told["exit_code"] if isinstance(told["exit_code"], int) else 255


if __name__ == "__main__":
    sys.exit(main())
