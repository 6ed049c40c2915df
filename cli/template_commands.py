"""`campaign templates`: workbooks for villages to fill in."""

import typer

templates = typer.Typer()
