"""The command line: one verb for each stage, in the order of the flow."""

import os
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from twotower import __version__, admin, comparison, downloading, exits
from twotower.errors import UnknownUser
from twotower.options import (
    AsJson,
    BundleFolder,
    Database,
    From,
    Host,
    HowMany,
    Incremental,
    OnError,
    Out,
    Port,
    RecipeName,
    Redis,
    RunFolder,
    ServedFolder,
    Settings,
    Shop,
    Source,
    SplitKind,
)
from twotower.terminal import (
    print_answer,
    print_bundle,
    print_dry_run,
    print_json,
    print_prepared,
    print_report,
    print_training,
    stages,
    workshop,
)

app = typer.Typer(
    help="Semantic search and personal recommendations for a shop, from one two-tower model.",
    cls=exits.Verbs,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
app.add_typer(admin.app, name="admin")
app.command()(downloading.download)


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        Console().print(f"twotower {__version__}")
        raise typer.Exit


@app.command()
def prepare(
    source: Source,
    out: Annotated[Path | None, typer.Option("--out", help="Folder to write.")] = None,
    folder: From = None,
    shop: Shop = None,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Only show what would happen; what columns are is guessed, and written as --shop.",
        ),
    ] = False,
    split: SplitKind = None,
    on_error: OnError = None,
    incremental: Incremental = False,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Read a shop's tables, clean, profile and split them."""
    found, recipe = _source(source, folder, shop), _recipe("joint", settings, split, on_error)
    if dry_run:
        return _rehearse(found, recipe, shop, as_json=as_json)
    if out is None:
        raise typer.BadParameter("give --out DATA, or --dry-run to write nothing")
    with workshop(quiet=as_json) as here:
        dataset = stages().prepare(found, recipe, out, here, incremental=incremental)
    if as_json:
        told = {"counts": dataset.counts, "about": dataset.about.to_json()}
        print_json({"out": str(out), **told, "warnings": dataset.profile["warnings"]})
        return None
    print_prepared(dataset)
    name = escape(str(out))
    Console().print(
        f"Prepared data in [bold]{name}[/]. To look at it: twotower profile {name}. "
        f"Next: twotower train {name} --out RUN",
        soft_wrap=True,
    )
    return None


@app.command()
def profile(
    data: Annotated[Path, typer.Argument(metavar="DATA", help="A prepared dataset.")],
    out: Annotated[Path, typer.Option("--out", help="The HTML file to write.")] = Path(
        "profile.html"
    ),
) -> None:
    """Write what is in a prepared dataset as one page: volumes, gaps, cleaning, leaks, warnings."""
    from twotower.data.dataset import Dataset
    from twotower.data.profiling import page

    page.save(Dataset.load(data), out)
    Console().print(f"The profile is in {out.resolve()}", soft_wrap=True)


@app.command()
def train(
    data: Annotated[Path, typer.Argument(metavar="DATA", help="A prepared dataset.")],
    out: Out,
    recipe: RecipeName = "joint",
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Train the towers; run again after an interruption, it goes on where it was.

    Shows what they do on validation; for a recipe that learns validation at the end, its curve.
    """
    from twotower.schema import Split

    flow = stages()
    with workshop(quiet=as_json) as here:
        run = flow.train(data, _recipe(recipe, settings), out, here)
        _, dataset = flow.open_run(out)
        serving = flow.tune(run, dataset, here)
        if not run.has_learnt_validation:  # what is left then is the test split, not train's
            report = flow.evaluate(run, dataset, serving, here, Split.VALIDATION)
    if run.has_learnt_validation:
        print_training(run.training, as_json=as_json)
    else:
        print_report(report, as_json=as_json)
    if not as_json:
        Console().print(
            f"Trained towers in [bold]{escape(str(out))}[/]. Next: twotower evaluate {out}"
        )


@app.command()
def tune(
    data: Annotated[Path, typer.Argument(metavar="DATA", help="A prepared dataset.")],
    out: Out,
    recipe: RecipeName = "joint",
    trials: Annotated[int, typer.Option(min=1, help="How many settings are tried.")] = 20,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Search better settings of a recipe on validation; run again, it goes on where it was."""
    with workshop(quiet=as_json) as here:
        whole = _recipe(recipe, settings)
        found = stages().search_settings(data, whole, out, here, trials=trials)
    if as_json:
        return print_json(found)
    from twotower.evaluation.table import trials_table

    Console().print(trials_table(found))
    following = f"train {data} --recipe {recipe} --set @{out}/settings.json --out RUN"
    said = f"Best on validation: {found['arguments']}\nNext: twotower {following}"
    return Console().print(said, soft_wrap=True, highlight=False)


@app.command()
def evaluate(
    folder: Annotated[Path, typer.Argument(metavar="RUN|BUNDLE", help="What is measured.")],
    judgments: Annotated[Path | None, typer.Option(help="A table of judged queries.")] = None,
    events: Annotated[Path | None, typer.Option(help="A table of later events.")] = None,
    baselines: Annotated[str, typer.Option(help="quick, or all: iALS, BPR and more.")] = "quick",
    as_json: AsJson = False,
) -> None:
    """Measure on the held-out split beside the baselines, or on tables training never saw."""
    with workshop(quiet=as_json) as here:
        report = stages().evaluate_folder(
            folder, here, judgments=judgments, events=events, lineup=baselines
        )
    print_report(report, as_json=as_json)


app.command()(comparison.compare)


@app.command()
def bundle(run: RunFolder, out: Out, as_json: AsJson = False) -> None:
    """Export a run's towers, build the index, verify, and write a bundle."""
    with workshop(quiet=as_json) as here:
        made = stages().bundle_run(run, out, here)
    _finish(out, made, as_json=as_json)


@app.command()
def build(
    source: Source,
    out: Out,
    folder: From = None,
    shop: Shop = None,
    recipe: RecipeName = "joint",
    split: SplitKind = None,
    on_error: OnError = None,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """All of the above: tables in, bundle out."""
    found, whole = _source(source, folder, shop), _recipe(recipe, settings, split, on_error)
    with workshop(quiet=as_json) as here:
        made = stages().build(found, whole, out, here)
    print_report(made.report, as_json=as_json)
    _finish(out, made, as_json=as_json, said=as_json)


@app.command()
def search(
    folder: BundleFolder,
    query: Annotated[str, typer.Argument(help="What the shopper types.")],
    k: HowMany = 10,
    mode: Annotated[str, typer.Option(help="hybrid, semantic or lexical.")] = "hybrid",
    as_json: AsJson = False,
) -> None:
    """Search a bundle from the shell."""
    answer = _retriever(folder).search(query, k=k, mode=mode)
    print_answer(answer, as_json=as_json)


@app.command()
def recommend(
    folder: BundleFolder,
    user: Annotated[str | None, typer.Option(help="A user of the shop's log.")] = None,
    history: Annotated[str | None, typer.Option(help="Item ids, oldest first: ID,ID,...")] = None,
    k: HowMany = 10,
    as_json: AsJson = False,
) -> None:
    """Recommend items to a user of the log, or to anyone with a history."""
    from twotower.features.history import Histories, History

    if (user is None) == (history is None):
        raise typer.BadParameter("give either --user ID or --history ID,ID,...")
    retriever = _retriever(folder)
    if history is not None:
        past = retriever.history(part.strip() for part in history.split(",") if part.strip())
    else:
        events = retriever.bundle.dataset.events
        past = (
            History.of([]) if events is None else Histories.from_events(events, [str(user)])[1][0]
        )
        if not len(past):
            raise UnknownUser(
                f"user {user!r} is not in the log of {folder}; give --history ID,ID,... instead"
            )
    print_answer(retriever.recommend(past, k=k), as_json=as_json)


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(metavar="RUN|BUNDLE", help="What was measured.")],
    as_json: AsJson = False,
) -> None:
    """Show the report of a run or a bundle."""
    from twotower.evaluation import report as reports

    found = reports.load(folder / "report.json")
    print_report(found, as_json=as_json)
    if not as_json and (folder / "report.html").is_file():
        Console().print(f"The whole report as a page: {(folder / 'report.html').resolve()}")


@app.command()
def serve(
    folder: ServedFolder,
    host: Host = "127.0.0.1",
    port: Port = 8000,
    database: Database = None,
    redis: Redis = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(help="A name under which a proxy passes requests on, beside localhost."),
    ] = None,
    json_logs: Annotated[
        bool, typer.Option("--json-logs", help="Log every request, without what was asked.")
    ] = False,
) -> None:
    """Serve a bundle over HTTP, with the web app.

    An address beyond this machine needs keys: 'twotower admin keys', or TWOTOWER_API_KEY.
    """
    from twotower.server.run import serve as run_server
    from twotower.server.settings import ServerSettings

    key, names = os.environ.get("TWOTOWER_API_KEY"), tuple(allow_host or ())
    settings = ServerSettings(
        host=host, port=port, api_key=key, allowed_hosts=names, json_logs=json_logs, redis=redis
    )
    run_server(folder, console=Console(), settings=settings, database=database)


@app.command()
def demo(
    folder: Annotated[Path, typer.Option("--out", help="Where the demo bundle is kept.")] = Path(
        "demo"
    ),
    host: Host = "127.0.0.1",
    port: Port = 8000,
    database: Database = None,
) -> None:
    """Build the synthetic demo shop if it is not there, and serve it."""
    from twotower import disk
    from twotower.bundle import MANIFEST

    disk.restore(folder)
    if not (folder / MANIFEST).is_file():
        flow = stages()

        Console().print("Building the [bold]synthetic demo shop[/]: made-up products and shoppers.")
        with workshop(quiet=False) as here:
            made = flow.build("synthetic", _recipe("joint", None), folder, here)
        print_report(made.report, as_json=False)
    serve(folder, host, port, database)


def _source(name: str, folder: Path | None, shop: Path | None) -> Any:
    """What `build` and `prepare` take: a public data set's files, a mapping, or what was given."""
    if folder is not None:
        from twotower.data.sources.registry import published

        return published(name, folder)
    if shop is not None:
        from twotower.data.tables import Export

        return Export(Path(name), shop)
    return name


def _rehearse(source: Any, recipe: Any, shop: Path | None, *, as_json: bool) -> None:
    """Shows what `prepare` would do; exit code 1 where it would refuse."""
    from twotower import disk
    from twotower.data.dry_run import dry_run

    found = dry_run(source, recipe.prepare)
    is_new = shop is not None and not shop.exists() and found.shop_toml is not None
    if shop is not None and is_new:
        disk.write_text(shop, str(found.shop_toml))
    if as_json:
        print_json(found.to_json())
    else:
        print_dry_run(found)
        if is_new:
            Console().print(
                f"The mapping is in [bold]{escape(str(shop))}[/]: edit it, then prepare with it."
            )
    if found.refused:
        raise typer.Exit(exits.FAILED)


def _recipe(
    name: str, settings: list[str] | None, split: str | None = None, on_error: str | None = None
) -> Any:
    from twotower.recipes import derive, recipe

    whole = recipe(name)
    for setting, value in (("prepare.split", split), ("prepare.on_error", on_error)):
        if value is not None:
            whole = derive(whole, [f"{setting}={value}"])
    return derive(whole, settings or [])


def _retriever(folder: Path) -> Any:
    from twotower.bundle import Bundle
    from twotower.retrieval.retriever import Retriever

    return Retriever(Bundle.load(folder))


def _finish(out: Path, made: Any, *, as_json: bool, said: bool = False) -> None:
    """Says what was built; exit code 3 when it is not better than its baselines."""
    promoted = made.report["verdict"]["promoted"]
    if as_json and not said:
        print_report(made.report, as_json=True)
    elif not as_json:
        print_bundle(out, made.folder, promoted=promoted)
    if not promoted:
        raise typer.Exit(exits.NOT_PROMOTED)


def main() -> None:
    """Entry point."""
    with exits.one_line():
        app()
