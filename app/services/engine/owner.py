"""Who asks for work: a browser, and the address that it is at."""

from __future__ import annotations


class Owner(str):
    """The token of a browser, which its pictures and its work belong to.

    Work that computes takes turns by `lane`: the token, or for a client that keeps no cookie its
    address, since it would be somebody else at every request. Waiting places are bounded by
    `address` too.
    """

    __slots__ = ("address", "lane")

    address: str
    lane: str

    def __new__(cls, token: str, address: str = "", known: bool = True) -> Owner:
        made = super().__new__(cls, token)
        made.address = address
        made.lane = token if known or not address else f"at {address}"
        return made

    def beside(self, what: str) -> Owner:
        """The same owner for work that may run beside its one long job."""
        made = Owner(f"{self} {what}", self.address)
        made.lane = f"{self.lane} {what}"
        return made


def owner_as(owner: str) -> Owner:
    """An owner from a plain token, as tests and the terminal name one."""
    return owner if isinstance(owner, Owner) else Owner(owner)
