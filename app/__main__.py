"""The command line, `python -m app`: serve the page (the default) or run another verb."""

from __future__ import annotations

import argparse
import importlib
import io
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from app import __version__
from app.errors import LayerscopeError
from app.settings import Settings, table


@dataclass(frozen=True, slots=True)
class Verb:
    """A command with its own options: `module` has the `main` that runs it."""

    module: str
    help: str


VERBS = {
    "train": Verb("app.verbs.train", "train the embedded network from a folder of pictures"),
    "evaluate": Verb("app.verbs.evaluate", "measure a network's accuracy on a folder of pictures"),
    "attack": Verb("app.verbs.attack", "attack a network on one picture and save the result"),
    "attack-rates": Verb("app.verbs.attack_rates", "measure how often attacks succeed"),
    "universal": Verb(
        "app.verbs.universal", "make one noise that fools a network on many pictures"
    ),
    "sticker": Verb("app.verbs.sticker", "train a printable sticker that fools a network"),
    "assets": Verb("app.verbs.assets", "make the files that ship with the weights again"),
    "calibrate": Verb("app.verbs.calibrate", "measure a network's usual scores on photos"),
    "synthesize": Verb("app.verbs.synthesize", "synthesise pictures that activate channels most"),
    "atlas": Verb("app.verbs.atlas", "find the crops that activate each channel most"),
    "weights": Verb("app.verbs.weights", "list, download, verify or export weights"),
    "bench": Verb("app.bench", "measure the overhead over the plain network"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a verb and return the exit status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # The path of a file may hold what this terminal cannot show.
            stream.reconfigure(errors="backslashreplace")
    words = list(sys.argv[1:] if arguments is None else arguments)
    if not words or words[0].startswith("-") and words[0] not in ("-h", "--help", "--version"):
        words.insert(0, "serve")
    options, rest = _parser().parse_known_args(words)
    try:
        if options.verb in VERBS:
            # Imported here: `--help` should not wait for torch.
            verb = importlib.import_module(VERBS[options.verb].module)
            status: int = verb.main(rest)
            return status
        if rest:
            _parser().error(f"unknown: {' '.join(rest)}")
        return _serve(options)
    except LayerscopeError as error:
        sys.stderr.write(f"{error.title}. {error.detail}\n")
        return 2
    except KeyboardInterrupt:
        return 130


def _serve(options: argparse.Namespace) -> int:
    # Imported here: `--help` should not wait for torch.
    from app.web import server
    from app.web.core.state import check

    settings = Settings.from_environment()
    check(settings)
    if not server.is_free(options.host, options.port):
        sys.stderr.write(
            f"Port {options.port} on {options.host} is in use, perhaps by another Layerscope. "
            f"Try: --port {options.port + 1}\n"
        )
        return 2
    app = server.app_for(options.host, settings, options.root_path, options.behind_proxy)
    where = "\n".join(f"    {url}" for url in server.addresses(options.host, options.port))
    sys.stdout.write(f"\nLayerscope {__version__} is starting. Open in a browser:\n\n{where}\n\n")
    if options.root_path or options.behind_proxy:
        sys.stdout.write("Or its address behind the proxy.\n")
    if options.behind_proxy:
        sys.stdout.write(
            "To download weights from the page, open this once, below the proxy's address:\n\n"
            f"    /operator?key={app.state.operator_key}\n\nKeep it to yourself.\n"
        )
    sys.stdout.write("Ctrl-C ends it.\n")
    sys.stdout.flush()
    server.serve(app, options.host, options.port)
    return 0


def _parser() -> argparse.ArgumentParser:
    settings = "\n".join(f"  {name:24} {help} [{default}]" for name, default, help in table())
    parser = argparse.ArgumentParser(
        prog="python -m app",
        description="See what happens inside a convolutional network.",
        epilog=f"settings, read from the environment:\n{settings}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"Layerscope {__version__}")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="verb")
    serve = verbs.add_parser("serve", help="serve the page (the default)")
    serve.add_argument("--host", default="127.0.0.1", help="0.0.0.0 serves to your whole network")
    serve.add_argument("--port", type=_port, default=8000)
    serve.add_argument(
        "--root-path", default="", metavar="/PATH", help="the sub-path where a proxy serves it"
    )
    serve.add_argument(
        "--behind-proxy",
        action="store_true",
        help="trust X-Forwarded-Prefix of a proxy on this machine; the operator gets a key",
    )
    for name, verb in VERBS.items():
        verbs.add_parser(name, help=verb.help, add_help=False)
    return parser


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65_536:
        raise argparse.ArgumentTypeError("a port is a number from 1 to 65535")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
