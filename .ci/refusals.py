"""Compares what the agents of the integration tests have refused with what docs/api.md documents.

A code that is not documented for its verb fails the build. So does, with --all after all integration
tests, a documented code that no test has met and for which .ci/unmet-refusals.txt gives no reason.
"""

import pathlib
import re
import sys

ANY = "*"
SHARED = "shared"

# Any call may meet them, and which ones do is chance: they are told, and fail nothing.
PASSING = {
    "SDM_UNAVAILABLE",
    "REPOSITORY_UNRESPONSIVE",
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
    """Verb and code of each line; the verb may be * or shared."""
    lines = (line.split(None, 2) for line in text.splitlines() if line and line[0] != "#")
    return [(verb, code) for verb, code, _ in lines]


def unmet(known, met, given):
    """What no test has met, and nothing says why. A shared code is met for all verbs by one of them."""
    left = known - met
    for verb, code in given:
        shared = verb == SHARED and any(code == other for _, other in met)
        left = {
            pair
            for pair in left
            if pair[1] != code or not (shared or verb in (ANY, pair[0]))
        }
    return left


def idle(known, given):
    """Reasons for what is not documented (any more), or is given twice."""
    pointless = [
        (verb, code)
        for verb, code in given
        if not any(code == other and verb in (ANY, SHARED, one) for one, other in known)
    ]
    return pointless + sorted({line for line in given if given.count(line) > 1})


def main():
    log = pathlib.Path("it/target/refusals.log")
    if not log.exists():
        return 0
    known = documented(pathlib.Path("docs/api.md").read_text())
    given = reasons(pathlib.Path(".ci/unmet-refusals.txt").read_text())
    verbs = {verb for verb, _ in known}
    met = {tuple(line.split()) for line in log.read_text().splitlines() if len(line.split()) == 2}
    met = {(verb, code) for verb, code in met if verb in verbs}
    left = unmet(known, met, given)
    print(f"{len(met & known)} of {len(known)} documented refusals met, {len(left)} unmet without a reason")
    failed = False
    if "--unmet" in sys.argv or "--all" in sys.argv:
        for verb, code in sorted(left):
            print(f"UNMET {verb} {code}")
        failed = "--all" in sys.argv and bool(left)
    for verb, code in idle(known, given):
        print(f"REASON WITHOUT A REFUSAL {verb} {code}")
        failed = True
    for verb, code in sorted(met - known):
        print(f"NOT DOCUMENTED {verb} {code}")
        failed |= code not in PASSING
    return 1 if failed else 0


sys.exit(main())
