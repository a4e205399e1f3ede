"""gdb command `py-stacks`: the Python stack of every thread, of a running process or a core dump.

The py-bt of python2.7-dbg reads the interpreter's C frames and gives up where the compiler kept their variables in
registers ("frame information optimized out"), as it does in an optimised build. This walks the interpreter's own
list of threads and frames instead. It uses the frame reader that python2.7-dbg brings and gdb loads by itself.

Runs inside gdb, under whichever Python that has.
"""

from __future__ import print_function

import gdb

MAX_DEPTH = 500  # frames of one thread: a damaged core may hold a ring


#: Where the interpreter keeps itself. Link-time optimisation may hide all of these from gdb; the last one is a call,
#: which a core dump cannot do.
HOLDERS = (
    "interp_head",
    "'pystate.c'::interp_head",
    "autoInterpreterState",
    "_PyThreadState_Current->interp",
    "PyInterpreterState_Head()",
)


def _interpreter():
    """The PyInterpreterState of the process."""
    for holder in HOLDERS:
        try:
            interpreter = gdb.parse_and_eval(holder)
            if not interpreter.is_optimized_out and interpreter:
                return interpreter
        except gdb.error:
            continue
    interpreter = _saved_by_cffi()
    if interpreter is None:
        raise gdb.GdbError("Python does not run yet, or its debug symbols (python2.7-dbg) are another build's")
    return interpreter


def _saved_by_cffi():
    """The same from a thread that is in the engine: cffi's wrapper has put its thread state aside there."""
    chosen = gdb.selected_thread()
    try:
        for thread in gdb.selected_inferior().threads():
            thread.switch()
            frame = gdb.newest_frame()
            while frame is not None:
                if (frame.name() or "").startswith("_cffi_f_"):
                    return frame.read_var("_save")["interp"]
                frame = frame.older()
    except (gdb.error, ValueError):
        return None
    finally:
        chosen.switch()
    return None


class PyStacks(gdb.Command):
    """py-stacks [full]: the Python stack of every thread, innermost call first; full: with the local variables."""

    def __init__(self):
        super(PyStacks, self).__init__("py-stacks", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        import __main__

        reader = getattr(__main__, "PyFrameObjectPtr", None)
        if reader is None:
            raise gdb.GdbError("start the program first; python2.7-dbg must be installed")
        thread = _interpreter()["tstate_head"]
        while thread:
            self._thread(thread, reader, argument.strip() == "full")
            thread = thread["next"]

    def _thread(self, thread, reader, full):
        running = thread == gdb.parse_and_eval("_PyThreadState_Current")
        print("Thread %#x%s" % (int(thread["thread_id"]), " (holds the interpreter lock)" if running else ""))
        frame = thread["frame"]
        for depth in range(MAX_DEPTH):
            if not frame:
                break
            self._frame(depth, reader(frame), full)
            frame = frame["f_back"]

    def _frame(self, depth, frame, full):
        try:
            where = "%s:%s" % (frame.filename(), frame.current_line_num())
            print("  #%-2d %s in %s" % (depth, where, frame.co_name.proxyval(set())))
            line = frame.current_line()
        except IOError:  # the source is not here
            line = None
        if line:
            print("        %s" % line.strip())
        if full:
            for name, value in frame.iter_locals():
                print("        . %s = %s" % (name.proxyval(set()), value.get_truncated_repr(200)))


PyStacks()
