"""`campaign backup` and `campaign restore`."""

import typer

backups = typer.Typer()
