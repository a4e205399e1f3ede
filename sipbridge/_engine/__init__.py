"""Where an engine runs: in this process or in a worker. What passes in and out, and how a worker is spoken to.

May use _text, headers, uri and errors; cffi is seen by `in_process`, `libraries`, `shield_counters` and shield alone.
"""
