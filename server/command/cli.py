"""The command `ascolto`: reads arguments, calls, says. What it says is in locale/*/cli.toml."""

import argparse
import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from server.frame.terminal import LANGUAGE, Run, refuse
from server.frame.texts import say


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="ascolto", description=say(LANGUAGE, "cli.about"))
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(
        within: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, text: str
    ) -> argparse.ArgumentParser:
        return within.add_parser(
            name, help=say(LANGUAGE, f"cli.help.{text}"), description=say(LANGUAGE, f"cli.help.{text}")
        )

    def group(name: str) -> "argparse._SubParsersAction[argparse.ArgumentParser]":
        return command(commands, name, name).add_subparsers(dest="verb", required=True, metavar="VERB")

    init = command(commands, "init", "init")
    for flag in (
        "name",
        "address",
        "referente",
        "canale",
        "help-checked-on",
        "controller",
        "purpose",
        "retention",
        "contact",
    ):
        init.add_argument(f"--{flag}", default=None)
    init.add_argument("--languages", default=None)

    account = group("account")
    for verb in ("add", "reset"):
        one = command(account, verb, f"account_{verb}")
        one.add_argument("name")
        if verb == "add":
            one.add_argument("--role", required=True)
        else:
            one.add_argument("--second", action="store_true")
    command(account, "list", "account_list")

    clocks = group("clock")
    for verb in ("show", "believe"):
        command(clocks, verb, f"clock_{verb}")

    importing = group("import")
    people = command(importing, "people", "import_people")
    people.add_argument("file")
    people.add_argument("--skip-bad", action="store_true")
    people.add_argument("--leaving", type=int)
    responses = command(importing, "responses", "import_responses")
    responses.add_argument("file")
    responses.add_argument("--mapping", required=True)
    responses.add_argument("--words", action="store_true")
    drafted = command(importing, "draft", "import_draft")
    drafted.add_argument("file")
    drafted.add_argument("--wave", default="imported")
    drafted.add_argument("--output", default="")

    wave = group("wave")
    plan = command(wave, "plan", "wave_plan")
    plan.add_argument("wave")
    plan.add_argument("--title", required=True)
    plan.add_argument("--title-en", default="")
    plan.add_argument("--starts", required=True)
    plan.add_argument("--ends", required=True)
    plan.add_argument("--form", choices=("full", "pulse"), default="full")
    plan.add_argument("--unit", default="")
    plan.add_argument("--ask", default="unit,gender,age")
    plan.add_argument("--k", type=int, default=5)
    plan.add_argument("--links", default="")
    plan.add_argument("--comments", action="store_true")
    _plan_parser(wave, command)
    slips = command(wave, "slips", "wave_slips")
    slips.add_argument("wave")
    slips.add_argument("--count", type=int, required=True)
    slips.add_argument("--output", required=True)
    extend = command(wave, "extend", "wave_extend")
    extend.add_argument("wave")
    extend.add_argument("--ends", required=True)
    close = command(wave, "close", "wave_close")
    close.add_argument("wave")
    close.add_argument("--unused-slips", type=int, required=True)
    for verb in ("open", "end", "cancel", "release"):
        command(wave, verb, f"wave_{verb}").add_argument("wave")
    command(wave, "list", "wave_list")
    command(wave, "invite", "wave_invite").add_argument("wave")
    remind = command(wave, "remind", "wave_remind")
    remind.add_argument("wave")
    remind.add_argument("--missing", action="store_true")
    links = command(wave, "links", "wave_links")
    links.add_argument("wave")
    links.add_argument("--channel", choices=("letter", "sms"), required=True)
    links.add_argument("--output", required=True)
    switch = command(wave, "switch", "wave_switch")
    switch.add_argument("wave")
    switch.add_argument("name")
    restore = command(wave, "restore", "wave_restore")
    restore.add_argument("wave")
    restore.add_argument("sheet")
    bulletin = command(wave, "verify", "wave_verify")
    bulletin.add_argument("bulletin")
    bulletin.add_argument("--release", default="")
    bulletin.add_argument("--code", default="")
    command(group("log"), "verify", "log_verify").add_argument("--head", default="")

    release = group("release")
    command(release, "show", "release_show").add_argument("wave")
    verify = command(release, "verify", "release_verify")
    verify.add_argument("file")
    verify.add_argument("--key", default="")
    verify.add_argument("--plan", default="")

    board = command(group("report"), "board", "report_board")
    board.add_argument("wave")
    board.add_argument("file")

    pack = group("pack")
    made = command(pack, "make", "pack_make")
    made.add_argument("file")
    made.add_argument("--language", choices=("it", "en"), default="")
    checked = command(pack, "verify", "pack_verify")
    checked.add_argument("file")
    checked.add_argument("--key", default="")

    _channel_parser(command, group)

    backup = command(commands, "backup", "backup")
    backup.add_argument("folder", metavar="DIR|rehearse")
    backup.add_argument("--to", action="append", default=[], metavar="age1…")
    backup.add_argument("--keep", type=int, default=0, metavar="N")
    restore = command(commands, "restore", "restore")
    restore.add_argument("file")
    restore.add_argument("--identity", required=True, metavar="KEYFILE")
    where = restore.add_mutually_exclusive_group(required=True)
    where.add_argument("--data", default="", metavar="NEWFOLDER")
    where.add_argument("--look", action="store_true")

    command(commands, "move", "move").add_argument("--to", required=True, metavar="URL")

    check = command(commands, "check", "check")
    check.add_argument("--url", default="http://127.0.0.1:8000")
    check.add_argument("--logs", nargs="+", default=[], metavar="DIR")
    check.add_argument("--wait", type=float, default=3.0, metavar="SECONDS")

    demo = command(commands, "demo", "demo")
    demo.add_argument("--address", default="http://127.0.0.1:8000")
    command(commands, "demo-code", "demo_code").add_argument("name")
    for name in ("serve", "demo-serve"):
        serve = command(commands, name, name.replace("-", "_"))
        serve.add_argument("--host", default="127.0.0.1")
        serve.add_argument("--port", type=int, default=8000)
    return parser


def _plan_parser(wave: Any, command: Callable[..., argparse.ArgumentParser]) -> None:
    """The commands of a wave's keys and plan."""
    secret = command(wave, "secret", "wave_secret")
    secret.add_argument("wave")
    secret.add_argument("--seat", choices=("hr", "representative", "recovery", "guarantee"), required=True)
    for flag in ("name", "house", "output"):
        secret.add_argument(f"--{flag}", default="")
    statement = command(wave, "statement", "wave_statement")
    statement.add_argument("wave")
    statement.add_argument("file")
    draft = command(wave, "draft", "wave_draft")
    draft.add_argument("wave")
    draft.add_argument("--output", required=True)
    for verb in ("sign", "publish", "confirm", "confirmed"):
        one = command(wave, verb, f"wave_{verb}")
        one.add_argument("file")
        if verb == "confirm":
            one.add_argument("--output", default="")


def _channel_parser(command: Callable[..., argparse.ArgumentParser], group: Callable[[str], Any]) -> None:
    """The commands of the concern channel."""
    channel = group("channel")
    command(channel, "status", "channel_status")
    command(channel, "open", "channel_open")
    hearing = command(channel, "hearing", "channel_hearing")
    hearing.add_argument("--day", required=True)
    hearing.add_argument("--document", required=True)
    handler = group("handler")
    for verb in ("invite", "word", "renew", "training"):
        command(handler, verb, f"handler_{verb}").add_argument("name")
    handler.choices["training"].add_argument("--day", required=True)
    made = group("house")
    make = command(made, "make", "house_make")
    for seat in ("legal", "staff", "reserve"):
        make.add_argument(f"--{seat}", required=True, metavar="KEY")
    command(made, "show", "house_show")
    ring = group("keyring")
    command(ring, "signer", "keyring_signer")
    draft = command(ring, "draft", "keyring_draft")
    for flag in ("reader", "holder", "signer"):
        draft.add_argument(f"--{flag}", action="append", default=[])
    draft.add_argument("--until", default="")
    draft.add_argument("--output", required=True)
    still = command(ring, "still", "keyring_still")
    still.add_argument("--until", default="")
    still.add_argument("--output", required=True)
    for verb in ("sign", "publish"):
        command(ring, verb, f"keyring_{verb}").add_argument("file")
    recovery = group("recovery")
    command(recovery, "make", "recovery_make").add_argument("--seat", choices=("a", "b", "c"), required=True)
    command(recovery, "export", "recovery_export").add_argument("--output", required=True)
    opened = command(group("case"), "open", "case_open")
    opened.add_argument("file")
    opened.add_argument("--house", default="", metavar="WORDS")
    opened.add_argument("--memory", default="", metavar="FILE")
    opened.add_argument("--recovery", default="", metavar="FILE|SEATS")
    opened.add_argument("--output", default="")
    verify = command(group("proof"), "verify", "proof_verify")
    verify.add_argument("file")
    verify.add_argument("--key", default="")


def _run_of(command: str, verb: str | None) -> Run:
    """The function of a command; loaded only when asked for, so that a small command stays quick."""
    if command in ("init", "account", "import"):
        from server.command import site

        return site.COMMANDS[f"{command} {verb}" if verb else command]
    if command in ("wave", "release", "log"):
        from server.command import life, links, plans, proving

        return (life.COMMANDS | links.COMMANDS | plans.COMMANDS | proving.COMMANDS)[f"{command} {verb}"]
    if command == "report":
        from server.command import reports

        return reports.COMMANDS[f"{command} {verb}"]
    if command == "pack":
        from server.command import packs

        return packs.COMMANDS[f"{command} {verb}"]
    if command in ("channel", "house", "handler", "keyring", "recovery", "case", "proof"):
        from server.command import channel, sealed

        return (channel.COMMANDS | sealed.COMMANDS)[f"{command} {verb}"]
    if command in ("backup", "restore"):
        from server.command import backups

        return backups.COMMANDS[command]
    if command == "clock":
        from server.command import clocks

        return clocks.COMMANDS[f"{command} {verb}"]
    if command == "move":
        from server.command import moving

        return moving.COMMANDS[command]
    if command == "check":
        from server.command import check

        return check.COMMANDS[command]
    from server.command import running

    return running.COMMANDS[command]


def _loop_of(command: str) -> Callable[[], asyncio.AbstractEventLoop] | None:
    """What serves has a faster loop; what ends at once starts sooner without it."""
    if command not in ("serve", "demo-serve"):
        return None
    import uvloop

    return uvloop.new_event_loop


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit with its status."""
    given = _parser().parse_args(arguments)
    run = _run_of(given.command, getattr(given, "verb", None))
    from surveys.public.readers import ListsRefused
    from surveys.stores import FolderRefused, StoresUnavailable

    try:
        with asyncio.Runner(loop_factory=_loop_of(given.command)) as runner:
            status = runner.run(_one(run, given))
    except FolderRefused:
        status = refuse("other_folder")
    except StoresUnavailable as problem:
        status = refuse("stores", problem=problem)
    except ListsRefused as problem:
        status = refuse("cannot", problem=problem)
    except KeyboardInterrupt:
        status = 130
    raise SystemExit(status)


async def _one(run: Run, given: argparse.Namespace) -> int:
    return await run(given)


if __name__ == "__main__":
    main()
