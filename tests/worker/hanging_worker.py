"""A worker whose loop hangs, in a call to its engine, once a file exists. Started in place of an interpreter:

    python hanging_worker.py FILE -c CODE
"""

from __future__ import absolute_import, division, print_function

import os
import sys
import time

from sipbridge._engine.in_process import InProcess

probe = InProcess.probe


def hang(engine):
    while os.path.exists(sys.argv[1]):
        time.sleep(60)
    probe(engine)


InProcess.probe = hang
exec(sys.argv[3])
