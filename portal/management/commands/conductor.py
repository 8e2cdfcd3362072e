import contextlib
import signal
import sys

from django.core.management.base import BaseCommand
from setproctitle import setproctitle

from portal import checks, conductor


class Command(BaseCommand):
    help = "The one-second clock that rings for due work. Start one or more."

    def handle(self, **options: object) -> None:
        checks.before_start()
        setproctitle("portal-conductor")
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        with contextlib.suppress(KeyboardInterrupt):
            conductor.run()
