import os
import sys

from django.core.management.base import BaseCommand, CommandParser

from portal import checks, queue


class Command(BaseCommand):
    help = "Serves one queue: workers that carry due work on. Start as many as you need."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--queue", choices=queue.QUEUES, default=queue.DEFAULT)

    def handle(self, *, queue: str, **options: object) -> None:
        checks.before_start()
        if os.environ.get("Q_CLUSTER_NAME", "default") != queue:
            # The queue library reads its settings while Django loads: begin again with the name.
            os.environ["Q_CLUSTER_NAME"] = queue
            os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])
        from portal import cluster

        sys.exit(cluster.run())
