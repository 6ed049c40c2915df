"""`campaign key`: the key of the register. It is never an option, which others could read."""

from typing import Annotated, Literal

import typer

from cli.options import ByOption, HomeOption, campaign_home
from tasks.rules.errors import WrongCommand
from tasks.rules.wording import say

key = typer.Typer(help=say("cli.key"), no_args_is_help=True)

InOption = Annotated[
    Literal["keyring", "file"] | None, typer.Option("--in", help=say("cli.option.key_in"))
]


@key.command("new", help=say("cli.key.new"))
def key_new(where: InOption = None, home: HomeOption = None) -> None:
    from tasks.keys import make_key

    at = campaign_home(home)
    place = make_key(at, where)
    typer.echo(say("cli.key.made", place=place.name))


@key.command("check", help=say("cli.key.check"))
def key_check(by: ByOption = None, home: HomeOption = None) -> None:
    from tasks.at_home import act_at_home
    from tasks.keys import find_key
    from tasks.register import open_register

    at = campaign_home(home)
    at.require()
    found = find_key(at)
    with open_register(at, key=found.key, act=act_at_home(at, "key check", "key check", by)):
        typer.echo(say("cli.key.holds", source=found.source))


@key.command("rotate", help=say("cli.key.rotate"))
def key_rotate(
    where: InOption = None,
    pseudonyms: Annotated[
        bool, typer.Option("--pseudonyms", help=say("cli.option.pseudonyms"))
    ] = False,
    by: ByOption = None,
    home: HomeOption = None,
) -> None:
    from tasks.at_home import act_at_home
    from tasks.keys import find_key, read_key
    from tasks.rotation import rotate_key, rotate_pseudonyms

    at = campaign_home(home)
    at.require()
    if pseudonyms:
        if where is not None:
            raise WrongCommand("key.one_at_a_time")
        act = act_at_home(at, "key rotate", "pseudonyms", by)
        version = rotate_pseudonyms(at, read_key(at), act)
        typer.echo(say("cli.key.pseudonyms_rotated", version=version))
        return
    by_value = find_key(at).place is None
    place = rotate_key(at, act_at_home(at, "key rotate", "key", by), where)
    done = "cli.key.rotated_variable" if by_value else "cli.key.rotated"
    typer.echo(say(done, place=place.name))
