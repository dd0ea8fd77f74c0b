#!/usr/bin/env python3
"""Prints a pattern for each test that failed, as `swift test --filter` takes it.

    failed-tests.py RESULTS.xml...

Results of a run that was killed end in the middle. They name no test; who started the run tells that it had no end.
"""

import re
import sys
from pathlib import Path
from xml.etree import ElementTree

for path in map(Path, sys.argv[1:]):
    try:
        cases = list(ElementTree.parse(path).iter("testcase"))
    except (FileNotFoundError, ElementTree.ParseError):
        continue
    for case in cases:
        if case.find("failure") is not None:
            function = case.get("name").split("(")[0]
            print(f"^{re.escape(case.get('classname'))}/{re.escape(function)}\\(")
