"""A worker that has a child, which holds its end of the socket. Started in place of an interpreter:

    python forking_worker.py -c CODE
"""

from __future__ import absolute_import, division, print_function

import os
import sys
import time

if not os.fork():
    time.sleep(20)
    os._exit(0)
exec(sys.argv[2])
