"""Python's garbage collector runs less often during a round, and as before after it."""

import gc
from contextlib import suppress

from bioinstruct_dagster.teacher.flow.garbage_collection import rare_collections


def test_the_collector_gets_its_settings_back_after_an_error():
    before = gc.get_threshold()
    with suppress(LookupError), rare_collections():
        assert gc.get_threshold()[0] > before[0]
        assert gc.get_freeze_count() > 0
        raise LookupError
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0
