"""The words for an error: a stated one explains itself, any other is named with its class."""

from bioinstruct_dagster.errors import StatedError, fault_words


def test_a_stated_error_speaks_for_itself_and_any_other_points_to_the_log():
    assert fault_words(StatedError("The file is empty.")) == "The file is empty."
    assert fault_words(KeyError("loss")) == "KeyError: 'loss' (the log has the traceback)"
