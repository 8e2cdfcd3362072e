"""The ordinary things in a Linux machine's life: starting, working, being stopped."""

from datetime import datetime, timedelta

from simulator.scenarios import kernel
from simulator.scenarios.distros import Distro
from simulator.scenarios.history import History, Login, Run
from simulator.scenarios.inventory import TYPES, Card, token, uuid_of
from simulator.scenarios.kernel import Line
from simulator.scenarios.system import SYSTEMD, ZONES

REMEMBERED = timedelta(hours=40)  # ordinary lines further back than this are not written
ONCE = timedelta(seconds=1)


def run(card: Card, number: int, started: datetime, cmdline: str) -> Run:
    """Boot `number` of the machine: the kernel's messages, then systemd's, up to the prompt."""
    boot = Run(uuid_of(f"boot-{card.name}-{number}"), started)
    boot.kernel(kernel.boots(card.distro, cmdline, TYPES[card.type][1], started))
    release = SYSTEMD[card.distro.key]
    boot.say(2.1, "systemd", f"systemd {release} running in system mode.")
    boot.say(2.2, "systemd", "Detected virtualization kvm.")
    boot.say(2.2, "systemd", "Detected architecture x86-64.")
    boot.say(2.3, "systemd", f"Set hostname to <{card.name}>.")
    for seconds, unit, text in _starts(card.distro):
        boot.say(seconds, "systemd", text, about=unit)
    ssh = "ssh.service" if card.distro.family == "debian" else "sshd.service"
    boot.say(5.4, "sshd", "Server listening on 0.0.0.0 port 22.", pid=1244, unit=ssh)
    agent = "aliyun.service"
    boot.say(6.0, "aliyun-service", "Starting......", pid=1022, unit=agent)
    boot.say(9.1, "aliyun-service", "Detected cloud ECS, heart-beat sent", pid=1022, unit=agent)
    boot.say(9.4, "systemd", "Reached target Multi-User System.", about="multi-user.target")
    boot.say(9.5, "systemd", "Startup finished in 1.890s (kernel) + 7.610s (userspace) = 9.500s.")
    return boot


def _starts(distro: Distro) -> list[tuple[float, str, str]]:
    ssh = "ssh.service" if distro.family == "debian" else "sshd.service"
    cron = "cron.service" if distro.family == "debian" else "crond.service"
    return [
        (2.6, "systemd-journald.service", "Started Journal Service."),
        (3.0, "local-fs.target", "Reached target Local File Systems."),
        (3.4, "systemd-logind.service", "Started Login Service."),
        (4.2, "network-online.target", "Reached target Network is Online."),
        (4.8, "rsyslog.service", "Started System Logging Service."),
        (5.3, ssh, "Started OpenSSH server daemon."),
        (5.6, cron, "Started Command Scheduler."),
        (6.1, "aliyun.service", "Started Aliyun Assist."),
    ]


def works(boot: Run, card: Card, until: datetime, *, now: datetime) -> None:
    """The hourly lines of an ordinary day, up to `until`."""
    ident = "CRON" if card.distro.family == "debian" else "CROND"
    unit = "cron.service" if ident == "CRON" else "crond.service"
    moment = max(boot.started + timedelta(minutes=1), now - REMEMBERED)
    moment = moment.replace(minute=1, second=1, microsecond=0) + timedelta(hours=1)
    pid = 3000
    while moment < until - ONCE:
        pid += 37
        boot.say(moment, ident, "(root) CMD (run-parts /etc/cron.hourly)", pid=pid, unit=unit)
        cleaning = moment + timedelta(minutes=13)
        if moment.hour % 6 == 3 and cleaning < until - ONCE:
            boot.say(
                cleaning,
                "systemd",
                "Started Cleanup of Temporary Directories.",
                about="systemd-tmpfiles-clean.service",
            )
        moment += timedelta(hours=1)


def logs_in(
    boot: Run, user: str, host: str, since: datetime, until: datetime | None, *, line: str = "pts/0"
) -> None:
    """A person's ssh session, in the log and in wtmp."""
    pid = 5000 + int(token(user + host, 3), 36) % 20_000
    unit = "sshd.service"
    boot.say(
        since,
        "sshd",
        f"Accepted publickey for {user} from {host} port 52110 ssh2",
        pid=pid,
        unit=unit,
    )
    boot.say(
        since + ONCE,
        "systemd-logind",
        f"New session {pid % 97} of user {user}.",
        pid=871,
        unit="systemd-logind.service",
    )
    boot.logins.append(Login(user, line, host, pid, since, until))
    if until:
        boot.say(
            until,
            "sshd",
            f"pam_unix(sshd:session): session closed for user {user}",
            pid=pid,
            unit=unit,
        )


def stops(boot: Run, card: Card, at: datetime, *, rebooting: bool = True) -> None:
    """An orderly stop from `at` on: systemd's lines, wtmp's record, the kernel's last word."""
    word = "reboot" if rebooting else "power-off"
    target = "System Reboot" if rebooting else "System Power Off"
    boot.say(at, "systemd", "Stopped target Multi-User System.", about="multi-user.target")
    boot.say(at, "systemd", "Stopping OpenSSH server daemon...", about="sshd.service")
    boot.say(at, "sshd", "Received signal 15; terminating.", pid=1244, unit="sshd.service")
    boot.say(at, "systemd", "Stopping Aliyun Assist...", about="aliyun.service")
    boot.say(at + ONCE, "systemd", "Stopped OpenSSH server daemon.", about="sshd.service")
    boot.say(at + ONCE, "systemd", "Stopping System Logging Service...", about="rsyslog.service")
    if card.distro.family == "rhel":
        boot.say(
            at + ONCE,
            "rsyslogd",
            '[origin software="rsyslogd" swVersion="8.2102.0"] exiting on signal 15.',
            pid=1390,
            unit="rsyslog.service",
        )
    boot.say(at + 2 * ONCE, "systemd", "Unmounted /run/user/0.")
    boot.say(at + 3 * ONCE, "systemd", "Reached target Shutdown.", about="shutdown.target")
    boot.say(at + 3 * ONCE, "systemd", f"Reached target {target}.", about=f"{word}.target")
    boot.say(at + 3 * ONCE, "systemd-shutdown", "Syncing filesystems and block devices.")
    boot.say(
        at + 4 * ONCE,
        "systemd-journald",
        "Journal stopped",
        pid=402,
        unit="systemd-journald.service",
    )
    last = "Restarting system" if rebooting else "Power down"
    seconds = boot.at(at) + 5
    boot.kernel(
        [Line(seconds, 6, f"reboot: {last}"), Line(seconds + 0.0003, 6, "reboot: machine restart")][
            : 2 if rebooting else 1
        ],
        disk=False,
    )
    boot.shutdown_at = at + 2 * ONCE


def history(card: Card, runs: list[Run]) -> History:
    return History(card.name, card.distro, ZONES[card.region][0], runs)
