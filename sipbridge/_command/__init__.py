"""The command line, and what it alone needs: the commands, the doctor, the demo, the console.

May use everything; nothing uses it.
"""
