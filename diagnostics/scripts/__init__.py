"""The read-only collection scripts, as they are sent to a machine or handed to a person.

What they print is a bundle (see readers.bundle). They keep to what Cloud Assistant allows:
at most 18,000 bytes of script and less than 24,000 bytes of output.
"""

import base64
import gzip
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FILES = {"linux": "linux.sh", "windows": "windows.ps1"}
LINES = {
    # An argument, not a pipe into the shell: a command of the script that reads its input
    # would swallow the rest of it.
    "linux": 'sh -c "$(echo {packed} | base64 -d | gzip -dc)" | tee {output}',
    # In plain steps: nested into one expression it looks like what scanners for malware look for.
    "windows": (
        "$b = [Convert]::FromBase64String('{packed}');"
        " $m = New-Object -TypeName IO.MemoryStream -ArgumentList (,$b);"
        " $g = New-Object IO.Compression.GZipStream($m,"
        " [IO.Compression.CompressionMode]::Decompress);"
        " $r = New-Object IO.StreamReader($g); $script = [ScriptBlock]::Create($r.ReadToEnd());"
        ' & $script | Tee-Object -FilePath "{output}"'
    ),
}
FROM_FILE = {
    "linux": "sh {file} | tee {output}",
    "windows": 'powershell -ExecutionPolicy Bypass -File {file} > "{output}"',
}
OUTPUTS = {
    "linux": "/tmp/ecs-case-{case}.txt",
    "windows": "$env:TEMP\\ecs-case-{case}.txt",
}
REMARK = re.compile(r"^ *# .*\n| +# [^'\"\n]*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Way:
    """How a person runs the script: one line to paste, or the file and the line that runs it."""

    os: str
    line: str
    from_file: str
    file: str
    output: str


@cache
def text(os: str) -> str:
    """The script for "linux" or "windows"; KeyError for anything else.

    The shell script without the remarks below its heading: they would fill what a call holds.
    """
    source = (Path(__file__).parent / FILES[os]).read_text(encoding="ascii")
    if os != "linux":
        return source
    *heading, body = source.split("\n", 3)
    return "\n".join([*heading, REMARK.sub("", body)])


@cache
def packed(os: str) -> str:
    return base64.b64encode(gzip.compress(text(os).encode(), 9, mtime=0)).decode()


def ways(case: int, os_type: str) -> list[Way]:
    """The ways for the machine of a case; for both systems where its own is not known."""
    known = [os_type] if os_type in FILES else list(FILES)
    return [_way(os, OUTPUTS[os].format(case=case)) for os in known]


def _way(os: str, output: str) -> Way:
    line = LINES[os].format(packed=packed(os), output=output)
    return Way(os, line, FROM_FILE[os].format(file=FILES[os], output=output), FILES[os], output)
