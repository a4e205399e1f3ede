"""What the Makefile and CI call: `host` and `sandbox` here, and what they use below.

Run as modules from the top of the checkout: python3 -m tools.checks.test
"""
