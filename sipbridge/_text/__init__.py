"""Text as SIP has it: checks of arguments and words, parameters, masking.

May use errors, and nothing else of the package.
"""
