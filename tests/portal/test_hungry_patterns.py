"""Whatever people look for with patterns, a process keeps little of it."""

import subprocess
import sys

LOOKS_FOR_MANY = r"""
import random
from portal import patterns

def resident():
    (line,) = [row for row in open("/proc/self/status") if row.startswith("VmRSS")]
    return int(line.split()[1]) // 1024

text = "".join(random.Random(1).choices("abcdefgh \n", k=500_000))
before = resident()
for number in range(40):
    hungry = "(?:[ab].{%d}){3}[cd].{%d}\n%d$" % (8 + number, number % 7, number)
    patterns.read(hungry, any_case=True, by_line=True).stands_in(text)
print(resident() - before)
"""


def test_forty_hungry_patterns_leave_less_than_sixty_megabytes():
    done = subprocess.run(
        [sys.executable, "-c", LOOKS_FOR_MANY], capture_output=True, text=True, check=True
    )

    assert int(done.stdout) < 60
