"""The text in SIP messages: checks of arguments, parameters of headers, masking of credentials.

It may use errors, and nothing else of the package.
"""
