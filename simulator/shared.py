"""A system that many machines of one image share, each with its own name and boot."""

import threading
from collections.abc import Hashable
from dataclasses import dataclass, replace

from simulator.machine import Boot, Guest, Machine, Ran

# Machines that started within the same seconds may share what a script says of their uptime.
ALIKE_SECONDS = 5


@dataclass(slots=True, eq=False)
class SharedGuest:
    """The system behind many machines. Scripts run on it as on the machine `name` with `boot_id`;
    in what they print, both and the boot time become those of the machine that asked."""

    guest: Guest
    name: str
    boot_id: str

    def question(
        self, machine: Machine, script: str, timeout: float, username: str, working_dir: str
    ) -> Hashable:
        """Machines with equal questions get one answer."""
        started = int(machine.boot.started_at.timestamp()) // ALIKE_SECONDS
        return self, started, script, timeout, username, working_dir

    def alike(self, machine: Machine) -> Machine:
        """The machine as the shared system knows itself."""
        boot = Boot(self.boot_id, machine.boot.started_at)
        return replace(machine, hostname=self.name, boot=boot, guest=self.guest)

    def own(self, output: bytes, like: Machine, machine: Machine) -> bytes:
        """What `machine` prints where `like`, one with an equal question, printed `output`."""
        mine, theirs = machine.boot, like.boot
        started = [str(int(b.started_at.timestamp())).encode() for b in (theirs, mine)]
        output = output.replace(self.boot_id.encode(), mine.boot_id.encode())
        plain = mine.boot_id.replace("-", "").encode()
        output = output.replace(self.boot_id.replace("-", "").encode(), plain)
        if started[0] != started[1]:
            output = output.replace(*started)
        return output.replace(self.name.encode(), machine.hostname.encode())

    def run(
        self,
        machine: Machine,
        script: str,
        *,
        timeout: float,
        username: str,
        working_dir: str,
        stop: threading.Event,
    ) -> Ran:
        """Run it for this machine alone."""
        like = self.alike(machine)
        ran = self.guest.run(
            like,
            script,
            timeout=timeout,
            username=username,
            working_dir=working_dir,
            stop=stop,
        )
        return replace(ran, output=self.own(ran.output, like, machine))

    def console(self, machine: Machine) -> bytes:
        like = self.alike(machine)
        return self.own(self.guest.console(like), like, machine)
