"""Sums up the test reports of a build: counts, the slowest suites, and what failed."""

import pathlib
import sys
import xml.etree.ElementTree as ElementTree

SLOWEST_SHOWN = 10


def reports(kind, since):
    """The report files of one kind, written since the build began: older ones tell of other runs."""
    places = [*pathlib.Path(".").glob("*/target"), *pathlib.Path(".").glob("agent/*/target")]
    for path in sorted(report for place in places for report in place.glob(f"{kind}-reports/TEST-*.xml")):
        if path.stat().st_mtime >= since:
            yield ElementTree.parse(path).getroot()


def main():
    since = pathlib.Path(sys.argv[1]).stat().st_mtime
    built = sys.argv[2] == "0"
    total = failed = skipped = 0
    suites, broken = [], []
    print()
    for label, kind in (("unit", "surefire"), ("integration", "failsafe")):
        count = 0
        for suite in reports(kind, since):
            suites.append((float(suite.get("time", "0").replace(",", "")), suite.get("name")))
            for case in suite.iter("testcase"):
                count += 1
                if case.find("skipped") is not None:
                    skipped += 1
                elif case.find("failure") is not None or case.find("error") is not None:
                    failed += 1
                    broken.append(f"{case.get('classname')}.{case.get('name')}")
        print(f"{count} {label} tests")
        total += count
    print("Slowest suites:")
    for seconds, name in sorted(suites, reverse=True)[:SLOWEST_SHOWN]:
        print(f"  {seconds:7.2f} s  {name}")
    for name in broken:
        print(f"FAILED {name}")
    if total == 0:
        print("No test ran.")
    if not built and not failed:
        print("The build failed, and no test did: look for [ERROR] above.")
    print(f"{total - failed - skipped} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or total == 0 else 0


sys.exit(main())
