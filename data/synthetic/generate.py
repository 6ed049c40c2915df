"""Writes a whole campaign's input: a plan, an inbox in the order of arrival, and the truth."""

import json
from collections.abc import Callable
from pathlib import Path

from data.synthetic.campaign import Campaign
from data.synthetic.chance import chance
from data.synthetic.population import draw_population, settle
from data.synthetic.submissions import Post
from data.synthetic.truth import Judge, tell_truth
from data.synthetic.workbooks import file_content
from tasks.plan import copy_plan, load_plan
from tasks.rules.errors import WrongCommand
from tasks.rules.wording import say


def generate(
    plan_file: Path,
    out: Path,
    *,
    seed: int = 1,
    villages: int | None = None,
    residents: int | None = None,
    progress: Callable[[str], None] | None = None,
) -> Path:
    """Write into `out` what everybody would send for the plan, and return the path of truth.json.

    `plan.toml` with its village CSV, `inbox/<YYYY-MM-DDTHHMM>/<file>` (the folder says when a file
    arrives, wall time of the plan's time zone) and `truth.json` (see data/synthetic/truth.py).
    `villages`: how many invented villages take the place of the plan's own. `residents`: of the
    whole township; 2,000 a village, or what the plan's households make, where it is not given.
    `progress` is told a line a step. Raises WrongCommand where the plan has a mistake, `out` holds
    an inbox already, the sizes are none, or `villages` would take away those that an ad-hoc sweep
    names.
    """
    tell = progress or (lambda line: None)
    plan = load_plan(plan_file)
    if villages is not None and plan.ad_hoc:
        raise WrongCommand("error.synth_ad_hoc", file=plan_file.name)
    chosen, size = settle(seed, plan.health_centre, plan.villages, villages, residents)
    if (out / "inbox").exists():
        raise WrongCommand("error.synth_out", out=out)
    plan = load_plan(copy_plan(plan_file, out, chosen))
    tell(say("synth.population", villages=len(chosen), residents=size))
    population = draw_population(seed, plan.health_centre, chosen, size)
    tell(say("synth.files"))
    campaign = Campaign(plan, population, seed)
    campaign.send_all()
    judge = Judge()
    _deliver(campaign.post, judge, out, seed)
    truth = {
        "campaign": plan.slug,
        "seed": seed,
        "villages": len(chosen),
        "residents": len(population.people),
        **tell_truth(
            plan,
            population,
            campaign.cast,
            campaign.listed,
            judge,
            chance(seed, plan.slug, "outcomes"),
        ),
    }
    path = out / "truth.json"
    text = json.dumps(truth, ensure_ascii=False, indent=1, sort_keys=True)
    path.write_text(f"{text}\n", encoding="utf-8")
    tell(say("synth.done", files=len(judge.deliveries), out=out))
    return path


def _deliver(post: Post, judge: Judge, out: Path, seed: int) -> None:
    """Write every file into the folder of its minute and judge it."""
    files: dict[bytes, str] = {}
    for draft in post.in_order():
        file = f"inbox/{draft.received_at:%Y-%m-%dT%H%M}/{draft.stem}.{draft.style.container}"
        path = out / file
        path.parent.mkdir(parents=True, exist_ok=True)
        content = file_content(draft.repeats or draft, seed)
        path.write_bytes(content)
        judge.take(draft, file, files.get(content))
        files.setdefault(content, file)
