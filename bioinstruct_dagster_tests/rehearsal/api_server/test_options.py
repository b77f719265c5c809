"""The server's options: a wrong option is refused by name, and the key stays hidden."""

import pytest

from bioinstruct_dagster.rehearsal.api_server.options import OptionsError, ServerOptions


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"rpm": 0}, "rpm"),
        ({"tpm": float("nan")}, "tpm"),
        ({"rpm": float("inf")}, "rpm"),
        ({"burst_seconds": 61}, "burst_seconds"),
        ({"latency": -1}, "latency"),
        ({"batch_seconds": float("inf")}, "batch_seconds"),
        ({"fault_attempts": -1}, "fault_attempts"),
        ({"batch_max_lines": 0}, "batch_max_lines"),
        ({"batch_token_limit": 0}, "batch_token_limit"),
        ({"faults": {"earthquake": 0.1}}, "earthquake"),
        ({"faults": {"reset": 1.5}}, "reset"),
        ({"faults": {"reset": 0.6, "slow": 0.6}}, "add up to 1.2"),
        ({"batch_expire_share": 2}, "batch_expire_share"),
        ({"formats": frozenset({"xml"})}, "xml"),
        ({"service_tiers": frozenset({"gold"})}, "gold"),
    ],
)
def test_options_that_make_no_sense_are_refused_by_name(options, named):
    with pytest.raises(OptionsError, match=named):
        ServerOptions(**options)


def test_all_mistakes_are_named_at_once():
    with pytest.raises(OptionsError, match=r"rpm.*latency.*xml"):
        ServerOptions(rpm=-1, latency=-1, formats=frozenset({"xml"}))


def test_options_do_not_show_the_key():
    assert "sk-secret" not in repr(ServerOptions(key="sk-secret"))
