"""Stack frames and the instruction pointer, as x86, arm64, arm, ppc, mips and riscv print them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

SYMBOL = r"[A-Za-z_.$][\w.$]*"
# Behind the symbol: its offset, or what a decoder made of it.
OFFSET = r"(?:\+0x[0-9a-f]+(?:/0x[0-9a-f]+)?| \(\S+:\d+[^()]*(?:\([^()]*\))?[^()]*\))"
MODULE = r"(?: \[(\w+)(?: [0-9a-f]+)?\])?"
OF_MODULE = r"(?::(?P<before>\w+):)?"  # as kernels of 2.6 put it
ADDRESS = r"\[<(?:[0-9a-f]+|0x[0-9a-f]+|\s*\(null\))>\]"

FRAME = re.compile(
    rf"^\s*(?:<<?\w+>>?\s*)*(?:\[[0-9a-f]{{8,16}}\] )?"
    rf"(?:\(?{ADDRESS}\s*|\[[0-9a-f]{{8,16}}\] )?"
    rf"(\? )?\s*\(?{OF_MODULE}({SYMBOL}){OFFSET}\)?{MODULE}"
)
INLINE = re.compile(rf"^\s*(?:<\w+>\s*)?(?:{ADDRESS}\s*)?(\? )?({SYMBOL}) \S+:\d+ \[inline\]")
# arm prints the function and its caller on one line
FROM = re.compile(rf"\) from (?:{ADDRESS} )?\(?({SYMBOL}){OFFSET}\)?{MODULE}")
ARM_BARE = re.compile(rf"^\s*{ADDRESS} \(({SYMBOL})\) from {ADDRESS}")
ARM_PLAIN = re.compile(rf"^\s*({SYMBOL}){MODULE} from ({SYMBOL}){OFFSET}{MODULE}")
POINTER = re.compile(
    rf"(?:\bRIP:? (?:00[0-2][0-9a-f]:|e0[0-9a-f]{{2}}:)?\s*(?:{ADDRESS}\s*){{0,2}}|"
    rf"^\s*E?IP: (?:00\d\d:)?\s*(?:{ADDRESS}\s*)?|EIP is at |^PC is at |^pc ?: (?:{ADDRESS} )?|"
    rf"\bNIP \[[0-9a-f]+\] |^epc\s*: (?:[0-9a-f]+ )?){OF_MODULE}({SYMBOL}){OFFSET}{MODULE}",
)
NOWHERE = re.compile(
    r"\b(?:RIP:? 00[01]\d:|IP: |RIP:? )\s*(?:0x[0-9a-f]+\s*$|\[<[^>]*>\]\s+(?:\[<[^>]*>\]\s+)?"
    r"(?:\(null\)|0x[0-9a-f]+)\s*$)|^pc ?: 0x[0-9a-f]+\s*$"
)
USER_POINTER = re.compile(r"\bRIP: 00(?:33|2b|23):|^(?:E?IP|RIP): 0073:")
LENGTH = re.compile(r"([1-9]\d?)_?(?=[A-Za-z])")
DECODED = ".c:"
TRACE = re.compile(r"^\s*(?:Call [Tt]race|Backtrace|stack backtrace|Stack):?|^Call trace:")


@dataclass(frozen=True, slots=True)
class Frame:
    function: str
    module: str | None = None
    sure: bool = True  # False: the unwinder found it on the stack and does not vouch ("? ")
    inline: bool = False


def bare(symbol: str) -> str:
    """The function as its author wrote it, without the compiler's .isra.0 or .cold."""
    name = symbol.lstrip(".").split(".")[0].split("$")[0]
    return _innermost(name) if name.startswith(("_R", "_Z")) else name


def _innermost(mangled: str) -> str:
    """The last name of a Rust or C++ path, in which each stands behind its length."""
    name, at = mangled, 2
    while found := LENGTH.search(mangled, at):
        begin = found.end()
        at = begin + int(found[1])
        name = mangled[begin:at] or name
    return name


def pointer(text: str) -> Frame | None:
    """Where the processor stood, if this line says so and it stood in the kernel."""
    if ("+0x" not in text and " (" not in text) or USER_POINTER.search(text):
        return None
    found = POINTER.search(text)
    return Frame(bare(found[2]), found["before"] or found[3]) if found else None


def nowhere(text: str) -> bool:
    """The processor stood where no function is: the kernel jumped through a bad pointer."""
    return bool(NOWHERE.search(text))


def frames(texts: Iterable[str]) -> Iterator[Frame]:
    """Every frame printed on these lines, innermost first."""
    for text in texts:
        if "+0x" in text or DECODED in text:
            yield from _offsets(text)
        elif text.endswith("[inline]") and (found := INLINE.match(text)):
            yield Frame(bare(found[2]), None, not found[1], inline=True)


def _offsets(text: str) -> Iterator[Frame]:
    if found := FRAME.match(text):
        yield Frame(bare(found[3]), found["before"] or found[4], not found[1])
    elif found := ARM_BARE.match(text):
        yield Frame(bare(found[1]))
    elif found := ARM_PLAIN.match(text):
        yield Frame(bare(found[1]), found[2])
        yield Frame(bare(found[3]), found[4])
    if found := FROM.search(text):
        yield Frame(bare(found[1]), found[2])
