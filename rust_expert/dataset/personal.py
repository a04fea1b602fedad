"""Personal data in texts: e-mail addresses, phone numbers, and addresses of machines on the open internet.

What stands for nobody is left alone: reserved and made-up domains, documentation and private ranges, the numbers
of sections, versions and objects that look like addresses (docs/decisions/035-secrets-and-personal-data.md).
"""

import ipaddress
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from rust_expert.dataset.joined import Joined, Places, parts_of

_Kind = NDArray[np.bool_]

EMAIL, PHONE, ADDRESS = "e-mail address", "phone number", "IP address"
"""The kinds of personal data."""

_MAIL = re.compile(
    r"(?<![\w.%+-])([A-Za-z0-9][\w.%+-]{0,63})@((?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24})(?![\w-])",
    re.ASCII,
)
_CREDENTIAL = re.compile(r"://[^\s/]{0,256}\Z")
_RESERVED = re.compile(
    r"(?:.*[.-])?(?:example[\w-]*\.[a-z]+|example|test|invalid|local|localhost|internal|lan|localdomain)"
)
_NOBODY = frozenset({
    "git", "user", "username", "name", "me", "you", "someone", "nobody", "noreply", "no-reply", "foo", "bar", "test",
    "john.doe", "jane.doe", "johndoe", "janedoe", "alice", "bob", "admin", "root", "postmaster", "your.email", "email",
})  # fmt: skip
_NOWHERE = frozenset({
    "a.com", "b.com", "c.com", "x.com", "foo.com", "bar.com", "baz.com", "foo.bar", "test.com", "domain.com",
    "mydomain.com", "yourdomain.com", "mail.com", "email.com", "host.com", "hostname.com", "server.com", "company.com",
    "site.com", "website.com", "world.com", "acme.com", "openssh.com", "libssh.org",
})  # fmt: skip
"""Domains that stand for any; the last two name algorithms."""

_FOREIGN_PHONE = re.compile(
    r"(?<![\w+.*/-])\+(?!\d+-\d\d-\d\d\b)[1-9](?:[ ().-]{0,2}\d){7,14}(?![\w.-])", re.ASCII
)
_US_PHONE = re.compile(r"(?<![\w+.-])(?:\(\d{3}\) ?|\d{3}-)\d{3}-\d{4}(?![\w.-])", re.ASCII)
_FICTION = re.compile(r"\+1\d{3}55501\d\d")

_FOUR = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w-]|\.\d)", re.ASCII)
_EIGHT = re.compile(
    r"(?<![\w:.])[23][0-9A-Fa-f]{3}:(?:[0-9A-Fa-f]{0,4}:){1,6}[0-9A-Fa-f]{1,4}(?![\w:])", re.ASCII
)
_SECTION = 64
"""Numbers of sections, objects and versions stay below this; of a thousand addresses four do."""
_SERVICES = frozenset(
    {"208.67.222.222", "208.67.220.220", "149.112.112.112", "2001:4860:4860::8888", "2001:4860:4860::8844",
     "2606:4700:4700::1111", "2606:4700:4700::1001", "2620:fe::fe", "2620:fe::9"}
)  # fmt: skip
"""Public name servers: everyone's, so nobody's."""


def personal_in(texts: Sequence[str]) -> dict[int, list[str]]:
    """The texts that hold personal data, by their numbers: its kinds, sorted."""
    found: dict[int, set[str]] = defaultdict(set)
    for first, joined in parts_of(texts):
        for kind, glance, holds in _LOOKS:
            for place in np.unique(np.searchsorted(joined.ends, glance(joined))).tolist():
                if holds(texts[first + place]):
                    found[first + place].add(kind)
    return {number: sorted(kinds) for number, kinds in sorted(found.items())}


def holds_email(text: str) -> bool:
    """Whether a person's address stands in the text."""
    for match in _MAIL.finditer(text):
        name, domain = match[1].lower(), match[2].lower()
        made_up = name in _NOBODY or domain in _NOWHERE or _RESERVED.fullmatch(domain) or len(name) == 1
        if not made_up and not _CREDENTIAL.search(text, max(0, match.start() - 300), match.start()):
            return True
    return False


def holds_phone(text: str) -> bool:
    """Whether a phone number stands in the text that can be called: with its country, or as written in the USA."""
    written = [(match[0], None) for match in _FOREIGN_PHONE.finditer(text)]
    return any(
        _can_be_called(*one) for one in [*written, *((match[0], "US") for match in _US_PHONE.finditer(text))]
    )


def _can_be_called(written: str, region: str | None) -> bool:
    import phonenumbers  # its tables take a while to load, and are hardly ever needed

    try:
        number = phonenumbers.parse(written, region)
    except phonenumbers.NumberParseException:
        return False
    plain = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return phonenumbers.is_valid_number(number) and not _FICTION.fullmatch(plain)


def holds_address(text: str) -> bool:
    """Whether the address of one machine on the open internet stands in the text."""
    return any(map(_is_of_a_machine, _addresses(text)))


def _addresses(text: str) -> Iterator[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    for pattern in (_FOUR, _EIGHT):
        for match in pattern.finditer(text):
            try:
                yield ipaddress.ip_address(match[0])
            except ValueError:
                continue


def _is_of_a_machine(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    if not address.is_global or address.is_multicast or address.compressed in _SERVICES:
        return False
    parts = address.packed
    return address.version == 6 or (max(parts) >= _SECTION and parts[-1] not in (0, 255))


def _at_signs(joined: Joined) -> Places:
    """Where `@` stands before a letter or digit."""
    return _marks(joined, "@", 1, (_ALNUM, 1))


def _phone_marks(joined: Joined) -> Places:
    """Where `+` stands before a digit, or `-` between three digits and four."""
    digits = ((_DIGIT, step) for step in (-3, -2, -1, 1, 2, 3, 4))
    return np.concatenate((_marks(joined, "+", 0, (_DIGIT, 1)), _marks(joined, "-", 3, *digits)))


def _address_marks(joined: Joined) -> Places:
    """Where the first of three points stands that part digits, or a colon after four digits of base 16."""
    points = _marks(joined, ".", 1, (_DIGIT, -1), (_DIGIT, 1))
    points = points[:-2][points[2:] - points[:-2] <= 8]
    colons = _marks(joined, ":", 4, (_HEX, -1), (_HEX, -2), (_HEX, -3), (_FIRST, -4))
    return np.concatenate((points, colons))


def _marks(joined: Joined, mark: str, before: int, *around: tuple[_Kind, int]) -> Places:
    """Where a mark stands with at least so many bytes before it, and bytes of the kinds named at the steps named."""
    places = np.flatnonzero(joined.bytes == ord(mark))
    places = places[places >= before]
    for kind, step in around:
        places = places[kind[joined.bytes[places + step]]]
    return places


_DIGIT = np.array([chr(byte) in "0123456789" for byte in range(256)])
_HEX = np.array([chr(byte) in "0123456789abcdefABCDEF" for byte in range(256)])
_FIRST = np.array([chr(byte) in "23" for byte in range(256)])
_ALNUM = np.array([byte < 128 and chr(byte).isalnum() for byte in range(256)])
_LOOKS: tuple[tuple[str, Callable[[Joined], Places], Callable[[str], bool]], ...] = (
    (EMAIL, _at_signs, holds_email),
    (PHONE, _phone_marks, holds_phone),
    (ADDRESS, _address_marks, holds_address),
)
"""Each kind, with where it can stand at all and with what tells whether it does."""
