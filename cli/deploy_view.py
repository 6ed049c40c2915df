"""What `campaign deploy` is about to change, before it does."""

from typing import TYPE_CHECKING

import typer

from tasks.rules.wording import say

if TYPE_CHECKING:
    from flows.deployments import Changes


def show_changes(changes: "Changes") -> None:
    """Print a line a change, then how much stays as it is."""
    for name in changes.flows:
        key = "deploy.flow_changed" if name in changes.deployed else "deploy.flow_new"
        typer.echo(say(key, flow=name))
    found = changes.difference
    for each in found.added:
        typer.echo(say("deploy.added", slug=each.slug, days=each.days()))
    for old, new in found.moved:
        typer.echo(say("deploy.moved", slug=new.slug, was=old.days(), days=new.days()))
    for each in found.removed:
        typer.echo(say("deploy.removed", slug=each.slug, days=each.days()))
    for campaign in changes.elsewhere:
        typer.echo(say("deploy.elsewhere", campaign=campaign))
    if changes:
        typer.echo(say("deploy.unchanged", count=found.unchanged))
    else:
        typer.echo(say("deploy.nothing", count=found.unchanged))
