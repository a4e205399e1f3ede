"""The places where an engine runs, this process or a worker, the records that pass in and out, the worker's protocol.

It may use _text, headers, uri and errors. Only `in_process`, `libraries`, `shield_counters` and shield use cffi.
"""
