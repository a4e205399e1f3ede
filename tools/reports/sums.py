"""Add up the last lines of test runs, as "3 passed, 1 failed, 2 skipped in 5 s": `.ci/run` ends with that.

    python3 -m tools.reports.sums LOG...

A log without such a line counts as a failed test, so that a run that broke off hides in no sum.
"""

import re
import sys

WORDS = ("passed", "failed", "skipped")


def counts(text):
    """The numbers of the last line that has any, as a dict; errors count as failed."""
    for line in reversed(text.splitlines()):
        found = re.findall(r"(\d+) (passed|failed|skipped|errors?)\b", line)
        if found:
            numbers = dict.fromkeys(WORDS, 0)
            for number, word in found:
                numbers["failed" if word.startswith("error") else word] += int(number)
            return numbers
    return {"passed": 0, "failed": 1, "skipped": 0}


def total(texts):
    """The sums of all, in one line."""
    each = [counts(text) for text in texts]
    return ", ".join("%d %s" % (sum(numbers[word] for numbers in each), word) for word in WORDS)


def main(paths):
    texts = []
    for path in paths:
        with open(path, encoding="utf-8", errors="replace") as stream:
            texts.append(stream.read())
    print(total(texts))


if __name__ == "__main__":
    main(sys.argv[1:])
