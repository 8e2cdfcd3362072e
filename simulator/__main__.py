"""`python -m simulator`: the local ECS endpoint as a process of its own."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

from simulator.cloud import Cloud
from simulator.endpoint import Endpoint
from simulator.faults import Faults, WrongRule, read_rules
from simulator.power import SECONDS
from simulator.server import Server
from simulator.signature import AccessKey, Verifier
from simulator.world import World, fleet_of

DEFAULT_KEY = "simulator:simulator-secret"


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m simulator", description=__doc__)
    parser.add_argument("--port", type=_port, default=8181, help="0 takes a free one")
    parser.add_argument("--world", type=_world, default="demo", metavar="demo|fleet:N[:mixed]")
    parser.add_argument("--latency", type=_latency, default=0.0, metavar="MS")
    parser.add_argument("--power-seconds", type=_span, default=SECONDS, metavar="A-B")
    parser.add_argument("--faults", type=_faults, metavar="FILE", help="a JSON list of rules")
    parser.add_argument(
        "--access-key",
        type=_key,
        action="append",
        metavar="ID:SECRET[:noread|:deny=A+B]",
        help=f"may be repeated; default {DEFAULT_KEY}",
    )
    return parser.parse_args(argv)


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65_535:
        raise argparse.ArgumentTypeError("a port is 0 to 65535")
    return int(text)


def _world(text: str) -> str:
    try:
        if text != "demo":
            fleet_of(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def _latency(text: str) -> float:
    try:
        milliseconds = float(text)
    except ValueError:
        milliseconds = -1.0
    if not 0 <= milliseconds <= 60_000:
        raise argparse.ArgumentTypeError("a latency is 0 to 60000 milliseconds")
    return milliseconds / 1000


def _span(text: str) -> tuple[float, float]:
    try:
        low, high = map(float, text.split("-"))
    except ValueError:
        low, high = 1.0, 0.0
    if not 0 <= low <= high <= 3600:
        raise argparse.ArgumentTypeError("a span is A-B with seconds from 0 to 3600, such as 8-20")
    return low, high


def _faults(text: str) -> Path:
    path = Path(text)
    try:
        if path.exists():
            read_rules(path.read_text())
    except (OSError, ValueError, WrongRule) as error:
        raise argparse.ArgumentTypeError(f"{text}: {error}") from None
    return path


def _key(text: str) -> AccessKey:
    try:
        return AccessKey.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def build(options: argparse.Namespace) -> Server:
    """The server that the options describe, listening, not yet answering."""
    now = datetime.now(UTC)
    world = World.named(options.world, now)
    keys = options.access_key or [AccessKey.parse(DEFAULT_KEY)]
    verifier = Verifier({key.id: key for key in keys})
    cloud = Cloud(world, Faults(options.faults))
    cloud.power.seconds = options.power_seconds
    return Server(Endpoint(cloud, verifier), options.port, options.latency)


def main(argv: list[str] | None = None) -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    options = arguments(argv)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        server = build(options)
    except OSError as error:
        print(f"cannot listen on port {options.port}: {error}", file=sys.stderr)
        return 1
    server.start()
    print(f"listening on {server.url}", flush=True)
    # A signal may reach another thread first; only a main thread that wakes up runs its handler.
    while not stop.wait(0.5):
        pass
    server.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
