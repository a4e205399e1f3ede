"""The command line and what it alone needs: the commands, the doctor, the demo, the console.

It may use everything. No other folder uses it.
"""
