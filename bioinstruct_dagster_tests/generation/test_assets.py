"""`raw_instructions` through Dagster: its metadata, its run configuration, and its warnings."""

import json

import dagster as dg
import pytest
from aiohttp import web

from bioinstruct_dagster.definitions import build_defs
from bioinstruct_dagster.generation.assets import RawInstructionsConfig
from bioinstruct_dagster.generation.controls.file import read_controls
from bioinstruct_dagster.rehearsal.api_server.app import serve_recordings
from bioinstruct_dagster.settings import INPUTS, Settings
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster_tests.generation.writer import Writer

UPSTREAM = ["seed_tasks", "raw_instructions", "deduplicated_instructions"]


class Project:
    """The project under some settings, with an instance of its own."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.store = Store(settings.store.path, timeout=30)
        self.instance = dg.DagsterInstance.ephemeral()

    def run(self, *assets, settings=None, **config):
        defs = build_defs(settings or self.settings)
        return dg.materialize(
            [*defs.assets, *defs.asset_checks],
            selection=dg.AssetSelection.assets(*(assets or UPSTREAM)),
            resources=defs.resources,
            instance=self.instance,
            run_config={"ops": {"raw_instructions": {"config": config}}} if config else None,
            raise_on_error=False,
        )

    def count(self, table):
        return self.store.rows(f"select count(*) as n from {table}")[0]["n"]


@pytest.fixture
def project(settings):
    """A project that asks the embedded teacher."""

    def make(**changed):
        return Project(settings.changed(**{"requests": None, "instructions": 30, **changed}))

    return make


@pytest.fixture
def written(project, serve):
    """A project that asks a writer over HTTP, as a server of OpenAI's kind."""

    def make(writer, **changed):
        url = serve(writer).url
        connection = {"teacher": "openai", "openai_base_url": url, "reply_format": "json_schema"}
        connection |= {"openai_api_key": "k", "teacher_model": "gpt-4.1-mini", **changed}
        return Project(project().settings.changed(**connection))

    return make


def shown(result, asset="raw_instructions"):
    (event,) = result.asset_materializations_for_node(asset)
    return {name: value.value for name, value in event.metadata.items()}


def checks(result):
    return {check.check_name: check for check in result.get_asset_check_evaluations()}


def why_it_failed(result):
    (failure,) = [e for e in result.get_step_failure_events() if e.step_key == "raw_instructions"]
    return failure.step_failure_data.error.message


def test_the_goal_is_rows_that_the_next_asset_keeps(project):
    running = project()
    result = running.run()
    assert result.success
    found = shown(result)
    assert found["goal"] == "30 kept rows"
    assert found["rows that the gates keep"] >= 30
    assert found["rows that the gates keep"] == running.count("deduplicated_instructions")
    assert found["stopped"] == "at the goal"
    assert checks(result)["the_last_round_reached_its_goal"].passed


def test_spend_yield_and_counts_are_numbers_in_the_metadata(written):
    writer = Writer()
    running = written(writer)
    found = shown(running.run())
    kept = running.count("deduplicated_instructions")
    [spent] = running.store.rows("select sum(usd) as usd, sum(tokens) as tokens from spend")
    assert found["cost of the project so far ($)"] == round(spent["usd"], 4)
    limit_probe = 1_000 + 16  # it asks for 16 tokens, and the writer does not count it
    assert spent["tokens"] == 1_500 * len(writer.asked) + limit_probe
    assert found["tokens of the project so far"] == spent["tokens"]
    assert 0 < found["cost ($)"] <= found["cost of the project so far ($)"]
    assert found["cost of a kept row ($)"] == pytest.approx(found["cost ($)"] / kept, rel=0.01)
    replies = running.count("completion_outcomes")
    assert found["kept rows a request"] == round(kept / replies, 2)
    assert found["replies paid for"] == replies + found["replies for later"]
    for name in (
        "cost ($)",
        "cost of a kept row ($)",
        "cost of the project so far ($)",
        "kept rows a request",
    ):
        assert isinstance(found[name], float), name


def test_a_model_without_a_price_says_so_in_place_of_a_number(written):
    found = shown(written(Writer(), teacher_model="a-local-model").run())
    assert (
        found["cost ($)"] == found["cost of a kept row ($)"] == "unknown: no price for this model"
    )
    assert found["cost of the project so far ($)"] == "unknown: no price for this model"


def test_a_cost_of_which_a_part_is_unknown_is_no_number(written):
    writer = Writer()
    running = written(writer, requests=4)
    running.run("seed_tasks", "raw_instructions")
    with running.store.write() as connection:
        connection.execute("update completions set usd = null where request_number = 0")
    found = shown(running.run("raw_instructions"))
    assert found["cost ($)"].startswith("unknown: 0.00")
    assert found["cost ($)"].endswith(", and 1 of 4 requests have no price")
    assert found["cost of a kept row ($)"] == found["cost ($)"]
    assert found["cost of the project so far ($)"].startswith("unknown: 0.00")


def test_a_rehearsal_bills_nothing_whatever_its_address_and_price(project):
    embedded = shown(project().run("seed_tasks", "raw_instructions"))
    with serve_recordings() as url:
        connection = {"teacher": "openai", "openai_base_url": url, "openai_api_key": "k"}
        asked = project(**connection, teacher_model="gpt-4.1-mini")
        asked.store.replace({"completions": []})
        result = asked.run("raw_instructions")
    found = shown(result)
    for names in (embedded, found):
        for name in ("cost ($)", "cost of a kept row ($)", "cost of the project so far ($)"):
            assert names[name].startswith(
                "none: only the rehearsal teacher replied, which bills nothing"
            )
    assert embedded["teacher"] == "rehearsal: rehearsal-teacher"
    assert found["teacher"] == "rehearsal (asked as openai: gpt-4.1-mini)"
    assert found["price of the rehearsal"].startswith("$0.")
    raw = asked.count("raw_instructions")
    assert found["rehearsal note"].startswith(f"Rehearsal: {raw} of {raw} rows were made with")


def estimate_of(running, result):
    """When the run logged its estimate, and the estimate."""
    [found] = [
        (entry.timestamp, entry.user_message)
        for entry in running.instance.all_logs(result.run_id)
        if entry.user_message.startswith("Estimate")
    ]
    return found


def test_the_estimate_is_in_the_log_before_the_first_completion_and_then_on_the_page(written):
    running = written(Writer())
    assert running.run("seed_tasks").success
    result = running.run("raw_instructions")
    when, told = estimate_of(running, result)
    assert shown(result)["estimate"] == told
    assert " requests, " in told
    assert "$0." in told
    asked = "select min(epoch(requested_at)) as first from completions where purpose = 'generation'"
    assert when <= running.store.rows(asked)[0]["first"]


def test_no_observation_tears_the_curves_of_the_page(written):
    running = written(Writer())
    assert running.run().success
    key = dg.AssetKey("raw_instructions")
    assert not running.instance.fetch_observations(key, limit=5).records
    assert running.instance.fetch_materializations(key, limit=5).records


def test_a_run_may_cap_its_dollars_and_the_next_goes_on(written):
    writer = Writer()
    running = written(writer, instructions=60)
    capped = running.run(max_usd=0.015)
    assert capped.success
    found = shown(capped)
    assert "BIOINSTRUCT_RUN_MAX_USD is reached" in found["stopped"]
    assert 0 < found["cost of the project so far ($)"] <= 0.015
    assert 0 < running.count("deduplicated_instructions") < 60
    warned = checks(capped)["the_last_round_reached_its_goal"]
    assert not warned.passed
    assert warned.severity == dg.AssetCheckSeverity.WARN
    assert warned.description == found["stopped"]
    on = running.run()
    assert shown(on)["stopped"] == "at the goal"
    assert checks(on)["the_last_round_reached_its_goal"].passed
    assert set(writer.asked.values()) == {1}


class LimitIgnorer(Writer):
    """Heeds the limit of output tokens in the probe, and ignores it in every later request."""

    async def __call__(self, body):
        probed = body["seed"] == 0  # the probe's seed
        self.usage["completion_tokens"] = 10 if probed else 50_000
        return await super().__call__(body)


def test_a_cap_passed_by_the_reply_that_reaches_the_goal_is_said(written):
    running = written(LimitIgnorer(), instructions=3, max_tokens=60_000)
    result = running.run()
    assert result.success
    assert shown(result)["rows that the gates keep"] >= 3
    assert "ignores the limit of output tokens" in shown(result)["billed above limit"]
    warned = checks(result)["the_last_round_reached_its_goal"]
    assert not warned.passed
    assert "BIOINSTRUCT_MAX_TOKENS can't be held" in warned.description
    assert "51,000 tokens" in warned.description
    # A later run knows why the cap was passed, and does not advise to raise it.
    billed = running.count("completions where completion_tokens = 50000")
    result = running.run(instructions=60)
    why = shown(result)["stopped"]
    assert f"BIOINSTRUCT_MAX_TOKENS is {'passed' if billed > 1 else 'reached'}" in why
    assert f"For {billed} replies" in why
    assert "raise" not in why


def test_without_a_cap_replies_above_their_limit_are_a_warning_alone(written):
    result = written(LimitIgnorer(), instructions=30).run()
    assert shown(result)["stopped"] == "at the goal"
    assert "took 51,000 tokens" in shown(result)["billed above limit"]


def test_a_run_that_may_spend_nothing_fails_with_the_reason(written):
    writer = Writer()
    running = written(writer)
    running.run("seed_tasks")
    result = running.run("raw_instructions", max_usd=0.0)
    assert not result.success
    assert "BIOINSTRUCT_RUN_MAX_USD" in why_it_failed(result)
    assert not writer.asked


def test_a_run_may_name_goal_growth_limit_and_seed(project):
    running = project()
    running.run("seed_tasks")
    first = shown(running.run("raw_instructions", "deduplicated_instructions", instructions=12))
    assert first["goal"] == "12 kept rows"
    kept = running.count("deduplicated_instructions")
    grown = shown(running.run("raw_instructions", "deduplicated_instructions", grow_by=5))
    assert grown["goal"] == f"{kept + 5} kept rows"
    limited = shown(running.run("raw_instructions", requests=2, seed=7, instructions=500))
    assert (limited["run seed"], limited["stopped"]) == ("7", "at BIOINSTRUCT_REQUESTS")
    rows = running.store.rows("select distinct request_number from completions where run_seed = 7")
    assert sorted(row["request_number"] for row in rows) == [0, 1]


def test_a_low_yield_stops_with_a_message_and_keeps_its_rows(written):
    running = written(Writer(repeats=1.0), instructions=400)
    result = running.run()
    assert result.success
    assert "The yield fell to" in shown(result)["stopped"]
    assert not checks(result)["the_last_round_reached_its_goal"].passed
    assert running.count("deduplicated_instructions") == 7
    again = running.run("raw_instructions")
    assert "The yield fell to" in shown(again)["stopped"]
    assert shown(again)["replies paid for"] == 0


def test_a_request_that_is_given_up_is_a_warning(written):
    writer = Writer()
    running = written(writer)
    writer.refused = {42 * 1_000_003 + 1}
    result = running.run()
    assert result.success
    assert shown(result)["requests failed"] == 1
    warned = checks(result)["the_last_round_reached_its_goal"]
    assert not warned.passed
    assert warned.metadata["requests_failed"].value == 1


def test_many_unreadable_replies_are_a_warning(written):
    writer = Writer()
    running = written(writer, requests=8)
    for number in range(4):
        for seed in (42 * 1_000_003 + number, (42 * 1_000_003 + number + 2**30) % 2**31):
            writer.contents[seed] = "no task here"
    result = running.run()
    assert result.success
    warned = checks(result)["most_replies_can_be_read"]
    assert not warned.passed
    assert warned.metadata["readable_share"].value == round(4 / 12, 4)


def test_a_run_without_a_readable_reply_fails_with_the_reason(written):
    writer = Writer()
    running = written(writer, requests=4)
    for number in range(4):
        for seed in (42 * 1_000_003 + number, (42 * 1_000_003 + number + 2**30) % 2**31):
            writer.contents[seed] = "no task here"
    result = running.run("seed_tasks", "raw_instructions")
    assert not result.success
    assert "None of the 8 replies holds a readable task" in why_it_failed(result)
    [stored] = running.store.rows(
        "select count(*) as n from completions where purpose = 'generation'"
    )
    assert stored["n"] == 8  # the store keeps their text


class SignInPage(Writer):
    """Answers the probe. Then a page stands before the server."""

    async def __call__(self, body):
        answer = await super().__call__(body)
        if body["seed"] == 0:  # the probe's seed
            return answer
        page = "<html><head><title>Hotel sign-in</title></head><body>Room number?</body></html>"
        return web.Response(text=page, content_type="text/html")


def test_a_page_before_the_server_ends_the_run_with_its_words(written):
    writer = SignInPage()
    running = written(writer, instructions=200)
    result = running.run("seed_tasks", "raw_instructions")
    assert not result.success
    why = why_it_failed(result)
    assert "answered 20 different requests with HTTP 200 and no completion" in why
    assert "Hotel sign-in" in why
    assert str(running.settings.teacher.base_url) in why
    assert "OPENAI_BASE_URL" in why
    # No second draw: another request would bring the same page.
    sent = [seed for seed in writer.asked.elements() if seed]
    assert len(sent) == len(set(sent)) == 20
    outcomes = running.store.rows("select outcome, detail from completion_outcomes")
    assert len(outcomes) == 20
    assert all("no completion" in outcome["detail"] for outcome in outcomes)


def test_a_run_whose_replies_were_all_cut_fails_with_the_setting(written):
    writer = Writer(reasoning=5_000)
    running = written(writer, requests=12)
    result = running.run("seed_tasks", "raw_instructions")
    assert not result.success
    assert "12 of 12 replies to generation requests were cut off" in why_it_failed(result)
    assert "set BIOINSTRUCT_REASONING_TOKENS to 6000" in why_it_failed(result)
    roomy = running.settings.changed(reasoning_tokens=6_000, reasoning_effort="high")
    result = running.run("seed_tasks", "raw_instructions", settings=roomy)
    assert result.success
    sent = {(body["max_completion_tokens"], body.get("reasoning_effort")) for body in writer.bodies}
    probes = {(2_000, None), (8_000, None), (8_000, "high")}  # 2,000 is too little for the model
    assert sent == {(3_000, None), (9_000, "high")} | probes
    assert "for reasoning)" in estimate_of(running, result)[1]


@pytest.mark.parametrize("reply_format", ["text", "json_object"])
def test_each_reply_format_reaches_the_data_set(project, reply_format):
    running = project(reply_format=reply_format)
    assets = [*UPSTREAM, "categorized_instructions", "hf_dataset"]
    result = running.run(*assets)
    assert result.success
    failed = {
        name
        for name, check in checks(result).items()
        if not check.passed and check.metadata["judged"].value
    }
    # The first is a warning that a few recordings may bring.
    assert failed <= {"most_replies_can_be_read", "evaluation_sets_are_at_hand"}
    assert shown(result)["reply format"] == reply_format
    assert running.count("hf_dataset") == running.count("deduplicated_instructions") >= 30
    [row] = running.store.rows(
        "select list(distinct reply_format) as forms, bool_or(parameters::varchar like "
        "'%json_schema%') as schema from completions where purpose = 'generation'"
    )
    assert row == {"forms": [reply_format], "schema": False}
    labelled = running.store.rows("select distinct labelled_by from categorized_instructions")
    assert {"labelled_by": "teacher:rehearsal-teacher"} in labelled
    again = running.run(*assets)
    assert shown(again)["replies paid for"] == 0
    assert shown(again)["fingerprint"] == shown(result)["fingerprint"]


@pytest.mark.parametrize("controls", ["none", "shipped"])
def test_a_row_stores_its_controls_if_it_has_any(project, controls):
    running = project(**({"controls": None} if controls == "none" else {}))
    result = running.run()
    assert result.success
    rows = running.store.rows("select controls from raw_instructions")
    assert all((row["controls"] is None) == (controls == "none") for row in rows)
    check = checks(result)["kept_rows_are_what_was_asked_for"]
    assert not check.passed
    assert check.description.startswith("Not judged: ")
    if controls == "shipped":
        assert check.metadata["rows_with_controls"].value > 0
        assert "more of a rehearsal, which follow none" in check.description
        dimensions = {one.id for one in read_controls(INPUTS / "controls.yaml").dimensions}
        assert all(json.loads(row["controls"]).keys() == dimensions for row in rows)


def test_a_mix_far_from_its_targets_is_a_warning(written):
    # The writer ignores its prompts: its rows show hardly anything that they were asked to be.
    running = written(Writer(repeats=0.0), instructions=120)
    check = checks(running.run())["kept_rows_are_what_was_asked_for"]
    assert check.metadata["judged"].value
    assert not check.passed
    assert check.severity == dg.AssetCheckSeverity.WARN
    assert check.metadata["furthest_apart"].value > 0.10
    assert "| --- |" in check.metadata["mix"].md_str


def test_without_seeds_it_says_what_to_do_first(project):
    running = project()
    running.store.replace({})
    result = running.run("raw_instructions")
    assert not result.success
    assert "Materialize key:seed_tasks first" in why_it_failed(result)


@pytest.mark.parametrize("field", ["instructions", "grow_by", "requests", "max_usd", "max_tokens"])
@pytest.mark.parametrize("value", [True, False, 10**30, float("inf"), 1e308])
def test_a_run_config_refuses_what_settings_refuse(field, value):
    with pytest.raises(ValueError, match=field):
        RawInstructionsConfig(**{field: value})
