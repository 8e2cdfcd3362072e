"""Writes the System log of a machine as Windows would: boots, stops, crashes, in record order."""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta

KERNEL = "Microsoft-Windows-Kernel-"
MORNING = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)


class Log:
    """Each call appends what Windows writes then. Minutes count from MORNING."""

    def __init__(self) -> None:
        self.events: list[dict] = []
        self.number = 1000

    def say(self, minute: float, id: int, provider: str, channel="System", **data) -> dict:
        self.number += 1
        at = MORNING + timedelta(minutes=minute)
        event = {
            "time": at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "id": id,
            "provider": provider,
            "channel": channel,
            "record_id": self.number,
            "data": data,
        }
        self.events.append(event)
        return event

    def asked(self, minute, process="C:\\Windows\\system32\\shutdown.exe (WEB01)", **changes):
        fields = {
            "param1": process,
            "param2": "WEB01",
            "param3": "No title for this reason could be found",
            "param4": "0x800000ff",
            "param5": "restart",
            "param6": "",
            "param7": "WEB01\\Administrator",
        }
        self.say(minute, 1074, "User32", **fields | changes)

    def stop(self, minute, action=5, booted=2.0):
        """An orderly stop and the boot after it, in the order in which they reach the log."""
        self.say(minute, 6006, "EventLog")
        self.started(minute + booted)
        self.say(minute, 109, KERNEL + "Power", ShutdownActionType=action)
        self.say(minute + 0.1, 13, KERNEL + "General")
        self.say(minute + booted, 12, KERNEL + "General")
        self.say(minute + booted, 20, KERNEL + "Boot", LastShutdownGood="true", LastBootId="40")

    def started(self, minute):
        self.say(minute + 0.2, 6009, "EventLog")
        self.say(minute + 0.2, 6005, "EventLog")

    def crash(self, minute, code=0, parameters=(), booted=3.0, unexpected=True, **power):
        """An end without a stop, and the boot that tells of it."""
        up = minute + booted
        self.say(up, 12, KERNEL + "General")
        if unexpected:
            self.say(up + 0.1, 6008, "EventLog", Binary=heartbeat(minute), Data=["", ""])
        self.started(up)
        self.say(up, 20, KERNEL + "Boot", LastShutdownGood="false", LastBootId="41")
        named = {f"BugcheckParameter{n}": value for n, value in enumerate(parameters, 1)}
        extra = {"PowerButtonTimestamp": "0"} | power
        self.say(up + 0.1, 41, KERNEL + "Power", BugcheckCode=str(code), **named, **extra)

    def blue(self, minute, code, path="C:\\Windows\\MEMORY.DMP", first="0x10"):
        text = f"0x{code:08x} ({first}, 0x2, 0x0, 0xfffff80012345678)"
        provider = "Microsoft-Windows-WER-SystemErrorReporting"
        return self.say(minute, 1001, provider, param1=text, param2=path, param3="id")

    def record(self, **parts) -> dict:
        return {"events": self.events, **parts}


def heartbeat(minute: float) -> str:
    at = MORNING + timedelta(minutes=minute)
    one = struct.pack("<8H", at.year, at.month, 0, at.day, at.hour, at.minute, at.second, 0)
    return (one + one).hex().upper() + "3C000000"
