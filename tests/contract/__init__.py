"""The contract (csrc/contract/engine.h) as a C program sees it, through cffi, without the facade.

The same for each engine.
"""
