"""What makes the documentation's site: the settings of Sphinx, and the pages that come from the code."""
