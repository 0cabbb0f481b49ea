"""Options, commands and formats of other programs, and ours for the same purpose.

Tables only: `usage_hints` looks words up here.
"""

from __future__ import annotations

from typing import Final

from generator.dataclass import dataclass

RENAMED: Final = {
    "--env": "-e --stage --environments --target-env --environment-name --overlay --envs --in",
    "--output": "-o --out --output-dir --out-dir --outdir --output-file --dest --destination --dir --to-file",
    "--format": "-f --output-format --fmt --as --type",
    "--root": "-r -C --chdir --repo --repository --cwd --workdir --project --dir",
    "--diff": "--dry-run --dryrun -n --preview --show-diff",
    "--check": "--dry-run --dryrun -n --verify-only --no-write --lint --test",
    "--full": "--verbose -v --details --long --wide --expand",
    "--against": "--rev --base --since --from --compare --compare-to --with --ref --revision --commit --branch --diff",
    "--reason": "--message -m --because --comment --why",
    "--to": "--env --environment --target --stage",
    "--version": "--to --tag --alias --new-version --target",
    "--ref": "--model --uri --model-uri --source --reference --path --artifact",
    "--strategy": "--type --rollout --kind",
    "--tier": "--class --level --plan",
    "--framework": "--flavor --library --lib --runtime",
    "--cluster": "--live --remote --server --kube",
    "--context": "--kube-context --ctx",
    "--watch": "--follow -w --wait",
    "--yes": "-y --non-interactive --no-input --defaults --batch --assume-yes",
    "--all": "-a --everything --all-models -A",
    "--example-lock": "--lock --with-lock --no-pin",
    "--strict": "--warnings-as-errors --werror --fail-on-warnings --pedantic",
    "--at": "--date --on --when --as-of",
    "--data": "--csv --input --recording --file",
    "--gate": "--only --name --select",
    "--show": "--print --cat --view",
    "--exit-code": "--fail-on-diff --detailed-exitcode --error-on-diff",
}
"""Options of other programs for each of ours; an option of several lines means the one that the command has."""


@dataclass(frozen=True, slots=True)
class Advice:
    """What to do instead of an option that has no equivalent.

    Args:
        options: the options, separated by blanks.
        says: a sentence about it; `{command}` stands for the command.
        commands: where it applies, separated by blanks; empty for all commands.
        valued: whether the option has a value, which goes with it.
    """

    options: str
    says: str
    commands: str = ""
    valued: bool = False


ADVICE: Final = (
    Advice("--all -a --everything --all-models -A --recursive -R", "Without a path, `{command}` covers all models.",
           "render validate pin status diff alerts check"),
    Advice("--all -a --everything", "`gates run` runs the gates of one model; `gates check` covers all.", "run"),
    Advice("--env --environment -e --stage", "The rendered files of an environment are a folder, such as "
           "`sluice verify rendered/production`.", "verify", valued=True),
    Advice("--since --from --until --to --last", "`audit` shows everything from the first release on; --at shows "
           "one day.", "audit", valued=True),
    Advice("--force --overwrite --update --upgrade --refresh --repin -f --no-cache",
           "`pin` always resolves the references again and overwrites the lock.", "pin"),
    Advice("--force --overwrite --update --refresh -f --no-cache --prune --delete --clean --yes -y",
           "`render` overwrites its own files and removes those that no spec asks for.", "render"),
    Advice("--no-prune --keep --no-delete --no-clean", "Files of removed specs always go; `sluice render --diff` "
           "shows them first.", "render"),
    Advice("--force --overwrite --yes -y", "`{command}` overwrites nothing: edit the file, or remove it first.",
           "new init import"),
    Advice("--force --yes -y --push --commit", "`promote` writes only the lock: commit it yourself.", "promote"),
    Advice("--force --yes -y --push --merge", "`revert` prepares a branch: push it and open a pull request.", "revert"),
    Advice("--dry-run --dryrun -n --check", "`validate` writes nothing without --fix.", "validate"),
    Advice("--dry-run --dryrun -n --diff", "`promote` writes one lock, which `git diff` shows.", "promote"),
    Advice("--dry-run --dryrun -n --check", "`{command}` writes nothing.", "plan diff status audit explain"),
    Advice("--fix --write --autofix", "Only `sluice validate --fix` writes fixes.", "render plan verify pin diff"),
    Advice("--env --environment -e --stage --environments", "`{command}` covers every environment.",
           "validate pin check new codeowners", valued=True),
    Advice("--strict --warnings-as-errors --werror", "Warnings become errors in `sluice validate --strict`.",
           "plan render pin diff"),
    Advice("--to --version --target", "`revert` goes back to the previous version; "
           "`sluice pin MODEL --version` chooses one.",
           "revert", valued=True),
    Advice("--verbose -v --debug --details --trace -vv", "There is no longer form; SLUICE_DEBUG=1 shows the "
           "traceback of a bug."),
    Advice("--quiet -q --silent -s", "There is no shorter form; the exit code shows whether it worked."),
    Advice("--format --output-format", "`schema` prints JSON.", "schema", valued=True),
    Advice("--json --pretty", "`schema` prints JSON.", "schema"),
    Advice("--wait --follow", "`{command}` only changes files; `sluice status --cluster --watch` follows a release.",
           "render promote revert"),
    Advice("--namespace --ns", "The namespace of a model is set per environment in specs/platform.yaml.", valued=True),
    Advice("--set --values --var", "Values are in the spec, and those of one environment in its `environments:`.",
           valued=True),
    Advice("--config --platform -c", "The platform is always specs/platform.yaml of --root.", valued=True),
    Advice("--color --no-color --colour --no-colour", "NO_COLOR=1 and FORCE_COLOR=1 switch colors."),
)  # fmt: skip

MODEL: Final = "--model --name --spec --app --service --target --file --path --id -m --models --team -t"
"""Options for what is an argument here."""

COMMANDS: Final = {
    "render": "deploy apply build generate sync template release write compile synth",
    "validate": "lint check test verify-spec fmt format",
    "revert": "rollback undo roll-back abort",
    "--version": "version",
    "import": "adopt convert migrate translate ingest",
    "pin": "lock resolve freeze relock",
    "new": "create add scaffold generate-spec",
    "plan": "show preview dry-run describe forecast",
    "replay": "simulate backtest",
    "design": "optimize optimise schedule tune",
    "status": "list ls get ps models",
    "audit": "history log logs",
    "promote": "advance",
    "templates": "template-list overrides",
    "explain": "why code codes rule rules",
    "completion": "autocomplete completions shell-completion",
    "init": "setup bootstrap start quickstart",
}
"""Words of other programs for each of our commands."""

DONE_OTHERWISE: Final = {
    "upgrade update bump set-version": "`sluice pin MODEL --version VERSION` points a spec at another version",
    "delete destroy remove rm uninstall prune": "delete the files of the model in specs/, then run `sluice render`",
    "rename mv move": "move the spec and its lock with `git mv`, change `metadata.name`, then run `sluice render`",
    "approve resume continue unpause": "a person approves a step in Argo CD, or with "
    "`kubectl argo rollouts promote`; `sluice status --cluster` shows which release waits",
    "config configure settings": "the settings of all models are in specs/platform.yaml",
    "login auth": "credentials come from the environment and the kubeconfig; there is nothing to log in to",
    "serve run deploy-local": "Argo CD runs what `sluice render` writes",
}

FORMATS: Final = {
    "text": ("txt", "table", "plain", "human", "pretty", "console", "wide"),
    "markdown": ("md", "gfm", "comment"),
    "json": ("yaml", "yml", "jsonl", "ndjson"),
    "html": ("htm", "web", "page"),
    "junit": ("xml", "tap"),
    "github": ("gh", "actions", "annotations"),
    "gitlab": ("gl", "codeclimate", "codequality"),
    "bash": ("sh",),
    "model": ("spec", "models", "specs"),
    "platform": ("config", "settings", "tier", "tiers"),
}
"""Other words for each format and shell."""
