"""The read-only collection scripts, as they are sent to a machine or handed to a person.

What they print is a bundle (see readers.bundle). They keep to what Cloud Assistant allows:
at most 18,000 bytes of script and less than 24,000 bytes of output.
"""

from functools import cache
from pathlib import Path

FILES = {"linux": "linux.sh", "windows": "windows.ps1"}


@cache
def text(os: str) -> str:
    """The script for "linux" or "windows"; KeyError for anything else."""
    return (Path(__file__).parent / FILES[os]).read_text(encoding="ascii")
