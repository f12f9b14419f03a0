#!/usr/bin/env python3
"""Adds up JUnit reports: prints `N passed, N failed`; fails unless all passed. A skip is a failure.

  totals.py REPORT.xml...
"""
import sys
import xml.etree.ElementTree as ElementTree


def outcome(case):
    """None for a pass, else why not. CTest says it in `status`, pytest by a child element."""
    for child in case:
        if child.tag in ("failure", "error", "skipped"):
            return child.tag
    return None if case.get("status", "run") == "run" else case.get("status")


def main():
    passed = failed = 0
    for report in sys.argv[1:]:
        try:
            cases = list(ElementTree.parse(report).iter("testcase"))
        except (OSError, ElementTree.ParseError) as error:
            print(f"{report}: no report: {error}")
            cases = []
        if not cases:
            print(f"{report}: no test ran")
            failed += 1
        for case in cases:
            why = outcome(case)
            if why is None:
                passed += 1
            else:
                failed += 1
                print(f"{why}: {case.get('classname')} {case.get('name')}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
