"""One secret in the keyring of the operating system. The only module that imports keyring."""

from dataclasses import dataclass
from types import ModuleType

from tasks.rules.errors import WrongCommand
from tasks.rules.wording import say


@dataclass(frozen=True)
class KeyringEntry:
    """An entry of the operating system's keyring. All it does raises WrongCommand where the keyring
    does not answer, or is locked."""

    account: str
    service: str = "campaign"
    """What the entry is for: the register's key, unless it says otherwise."""

    @property
    def name(self) -> str:
        """What an officer is told about where the secret is."""
        return say("key.in_keyring", service=self.service, account=self.account)

    def read(self) -> str | None:
        """Return what lies here, None where nothing does."""
        keyring = _keyring()
        try:
            found: str | None = keyring.get_password(self.service, self.account)
        except keyring.errors.KeyringError as error:
            kind = type(error).__name__
        else:
            return found
        raise WrongCommand("key.no_keyring", kind=kind)

    def write(self, secret: str) -> None:
        """Put `secret` here."""
        keyring = _keyring()
        kind = ""
        try:
            keyring.set_password(self.service, self.account, secret)
        except keyring.errors.KeyringError as error:
            kind = type(error).__name__
        # some keyrings take everything and keep nothing
        if kind or self.read() != secret:
            raise WrongCommand("key.no_keyring", kind=kind or "-")

    def remove(self) -> None:
        """Take away what lies here, if anything does."""
        if self.read() is None:
            return
        keyring = _keyring()
        try:
            keyring.delete_password(self.service, self.account)
        except keyring.errors.KeyringError as error:
            kind = type(error).__name__
        else:
            return
        raise WrongCommand("key.no_keyring", kind=kind)

    def beside(self, ending: str) -> "KeyringEntry":
        """Return the place beside this one for a waiting secret or the one before."""
        return KeyringEntry(self.account + ending, self.service)


def _keyring() -> ModuleType:
    import keyring  # noqa: PLC0415 # slow to start, and asked for by few homes
    import keyring.errors  # noqa: PLC0415

    return keyring
