"""``job`` and ``health``: work that is done now and then, and whether everything works."""

from __future__ import annotations

import click

from myproject.cli.context import Context
from myproject.extend.points import Job
from myproject.health import failures
from myproject.jobs import JobRun, Result, last_runs, run_due, run_job


@click.group()
def job() -> None:
    """Work that is done now and then."""


@job.command("list")
@click.pass_obj
def list_jobs(context: Context) -> None:
    """List all jobs, how often each is due, and what became of it last."""
    with context.reading() as session:
        runs = last_runs(session)
        for item in _jobs(context).values():
            click.echo(f"{item.name:<24}{item.interval:<20}{item.title}")
            click.echo(f"{'':<24}{_told(runs.get(item.name))}")


@job.command("run")
@click.argument("name")
@click.pass_obj
def run_one(context: Context, name: str) -> None:
    """Run one job now, whether it is due or not. Status 1 if it fails."""
    jobs = _jobs(context)
    if name not in jobs:
        raise click.BadParameter(f"There is no job {name!r}. Jobs: {', '.join(jobs)}.")
    result = run_job(context.scopes, jobs[name])
    if result is None:
        click.echo(f"{name}: is running already")
        return
    _tell(result)
    raise SystemExit(result.failed)


@job.command()
@click.pass_obj
def due(context: Context) -> None:
    """Run the jobs that are due: for cron, a timer or a worker. Status 1 if one of them fails."""
    failed = False
    for result in run_due(context.scopes, _jobs(context).values()):
        _tell(result)
        failed = failed or result.failed
    raise SystemExit(failed)


@click.command()
@click.pass_obj
def health(context: Context) -> None:
    """Carry out all health checks. Status 1 if one of them fails."""
    checks = context.registry.extensions.health_checks
    failed = failures(context.registry.scopes)
    for name in checks:
        # What databases say has many lines, and the log has all of them.
        click.echo(f"{name}: {failed.get(name, 'ok').partition(chr(10))[0]}")
    raise SystemExit(bool(failed))


def _jobs(context: Context) -> dict[str, Job]:
    return context.registry.extensions.jobs


def _tell(result: Result) -> None:
    verb = "failed" if result.failed else "done"
    click.echo(f"{result.name}: {verb}{f': {result.outcome}' if result.outcome else ''}")


def _told(run: JobRun | None) -> str:
    if run is None or run.started_at is None:
        return "never run"
    verb = "failed" if run.failed else "done"
    return f"{verb} {run.started_at:%Y-%m-%d %H:%M} UTC{f': {run.outcome}' if run.outcome else ''}"
