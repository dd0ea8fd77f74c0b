#!/usr/bin/env python3
"""Prints a pattern for each test that failed, as `swift test --filter` takes it.

    failed-tests.py RESULTS.xml...
"""

import re
import sys
from pathlib import Path
from xml.etree import ElementTree

for path in map(Path, sys.argv[1:]):
    if not path.exists():
        continue
    for case in ElementTree.parse(path).iter("testcase"):
        if case.find("failure") is not None:
            function = case.get("name").split("(")[0]
            print(f"^{re.escape(case.get('classname'))}/{re.escape(function)}\\(")
