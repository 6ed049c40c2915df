"""`campaign questions`: doubtful pairs, put to a human."""

from pathlib import Path
from typing import Annotated

import typer

from cli.options import ByOption, CampaignOption, HomeOption, campaign_home
from tasks.rules.wording import say

questions = typer.Typer(help=say("cli.questions"), no_args_is_help=True)


@questions.command("list", help=say("cli.questions.list"))
def questions_list(campaign: CampaignOption, home: HomeOption = None) -> None:
    from tasks.at_home import open_campaign
    from tasks.questions import write_questions

    campaign_home(home)
    with open_campaign(campaign, "questions list", "doubtful pairs") as at:
        path = at.home.questions(campaign)
        open_questions = write_questions(at.store, at.plan, path)
    typer.echo(say("cli.questions.written", path=path, count=open_questions))


@questions.command("show", help=say("cli.questions.show"))
def questions_show(
    question: Annotated[str, typer.Argument(help=say("cli.option.question"))],
    campaign: CampaignOption,
    by: ByOption = None,
    home: HomeOption = None,
) -> None:
    from cli.people_view import show_pair
    from tasks.at_home import open_campaign
    from tasks.audit import keep_entry
    from tasks.questions import show_question

    campaign_home(home)
    with open_campaign(campaign, "questions show", question, by) as at:
        pair = show_question(at.store, campaign, question)
        keep_entry(at.store, at.act, [record.ref for record in pair.records])
        show_pair(pair)


@questions.command("answer", help=say("cli.questions.answer"))
def questions_answer(
    question: Annotated[str, typer.Argument(help=say("cli.option.question"))],
    answer: Annotated[str, typer.Argument(help=say("cli.option.answer"))],
    campaign: CampaignOption,
    by: Annotated[str, typer.Option(help=say("cli.option.by"))],
    home: HomeOption = None,
) -> None:
    from tasks.at_home import open_campaign
    from tasks.questions import answer_question

    campaign_home(home)
    with open_campaign(campaign, "questions answer", question, by) as at:
        answer_question(at.store, campaign, question, answer, by, at=at.now, act=at.act)
    typer.echo(say("cli.questions.answered", count=1))


@questions.command("take", help=say("cli.questions.take"))
def questions_take(
    file: Annotated[Path, typer.Argument(help=say("cli.option.question_file"))],
    campaign: CampaignOption,
    by: Annotated[str, typer.Option(help=say("cli.option.by"))],
    home: HomeOption = None,
) -> None:
    from tasks.at_home import open_campaign
    from tasks.questions import take_answers
    from tasks.reading import shown_name

    campaign_home(home)
    with open_campaign(campaign, "questions take", shown_name(file), by) as at:
        count = take_answers(at.store, campaign, file, by, at=at.now, act=at.act)
    typer.echo(say("cli.questions.answered", count=count))
