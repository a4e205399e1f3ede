"""The table of metrics in the docs is that of the code."""

from tools.reports import metrics_table


def test_the_table_in_the_docs_is_that_of_the_code():
    assert metrics_table.main(["--check"]) == 0
