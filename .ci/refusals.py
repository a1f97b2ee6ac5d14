"""Compares what the agents of the integration tests have refused with what docs/api.md documents.

A code that is not documented for its verb fails the build. A documented code that no test has met is
told, unless .ci/unmet-refusals.txt gives the reason.
"""

import pathlib
import re
import sys

ANY = "*"

# Any call may meet them, and which ones do is chance: they are told, and fail nothing.
PASSING = {
    "SDM_UNAVAILABLE",
    "REPOSITORY_UNRESPONSIVE",
    "CLUSTER_UNAVAILABLE",
    "AGENT_UNAVAILABLE",
    "OUTCOME_UNKNOWN",
}


def documented(page):
    """Verb and code of each refusal that the page names."""
    pairs, verb = set(), None
    for line in page.splitlines():
        if heading := re.match(r"### (\w+)$", line):
            verb = heading[1]
        elif row := re.match(r"\| (\d{3}) \| ((?:`[A-Z_]+`(?:, )?)+) \|", line):
            pairs.update((verb, code) for code in re.findall(r"`([A-Z_]+)`", row[2]))
    return pairs


def reasons(text):
    """Verb and code of each refusal that no test has to meet; either may be any."""
    lines = (line.split(None, 2) for line in text.splitlines() if line and line[0] != "#")
    return {(verb, code) for verb, code, _ in lines}


def main():
    log = pathlib.Path("it/target/refusals.log")
    if not log.exists():
        return 0
    known = documented(pathlib.Path("docs/api.md").read_text())
    verbs = {verb for verb, _ in known}
    met = {tuple(line.split()) for line in log.read_text().splitlines() if len(line.split()) == 2}
    met = {(verb, code) for verb, code in met if verb in verbs}
    unmet = known - met
    for verb, code in reasons(pathlib.Path(".ci/unmet-refusals.txt").read_text()):
        unmet = {pair for pair in unmet if verb not in (ANY, pair[0]) or code not in (ANY, pair[1])}
    print(f"{len(met & known)} of {len(known)} documented refusals met, {len(unmet)} unmet without a reason")
    if "--unmet" in sys.argv:
        for verb, code in sorted(unmet):
            print(f"  {verb} {code}")
    for verb, code in sorted(met - known):
        print(f"NOT DOCUMENTED {verb} {code}")
    return 1 if {pair for pair in met - known if pair[1] not in PASSING} else 0


sys.exit(main())
