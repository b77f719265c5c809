"""Summaries of failed runs: the file, the run's log, and a webhook on a real HTTP server."""

import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import dagster as dg
import pytest
from dagster._core.code_pointer import ModuleCodePointer
from dagster._core.origin import JobPythonOrigin, RepositoryPythonOrigin

from bioinstruct_dagster.automation.failure_sensor import run_failures
from bioinstruct_dagster.definitions import build_defs
from bioinstruct_dagster.settings import PROJECT_ROOT, Settings, SettingsError, load_settings
from bioinstruct_dagster.store.database import Store

KEY = "sk-a-very-secret-key"


class Receiver(ThreadingHTTPServer):
    """A server that keeps the bodies of POST requests, and answers with a status."""

    def __init__(self, status=200, wait=None):
        self.bodies, self.status, self.wait = [], status, wait
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.bodies.append((self.path, self.headers["Content-Type"], json.loads(body)))
        if self.server.wait:
            self.server.wait.wait(60)
        self.send_response(self.server.status)
        if self.server.status == 302:  # a redirect
            self.send_header("Location", "http://127.0.0.1:9/elsewhere")
        self.end_headers()

    def log_message(self, *_):
        pass


@contextmanager
def receiver(status=200, wait=None) -> Iterator[tuple[Receiver, str]]:
    server = Receiver(status, wait)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server, f"http://127.0.0.1:{server.server_address[1]}/hooks/T0-secret-path"
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def instance():
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def failed(settings, instance, **options):
    """A run of the data set that fails, and the context in which Dagster calls the sensor."""
    job = build_defs(settings).resolve_job_def("data_set")
    result = job.execute_in_process(instance=instance, raise_on_error=False, **options)
    assert not result.success
    return context_of(result, settings, instance)


def context_of(result, settings, instance):
    [failure] = [e for e in result.all_events if e.event_type == dg.DagsterEventType.RUN_FAILURE]
    return dg.build_run_status_sensor_context(
        sensor_name="run_failures",
        dagster_event=failure,
        dagster_instance=instance,
        dagster_run=instance.get_run_by_id(result.run_id),
        resources={"store": Store(settings.store.path), "settings": settings},
    ).for_run_failure()


def report_of(settings):
    [path] = (settings.store.data_dir / "reports" / "failures").iterdir()
    return path


def log_of(instance, context):
    return "\n".join(r.message for r in instance.all_logs(context.dagster_run.run_id))


def test_the_summary_says_what_failed_what_is_kept_and_what_to_do(settings, instance, tmp_path):
    seeds = tmp_path / "seeds.jsonl"
    seeds.write_text("{no json\n", "utf-8")
    context = failed(settings.changed(seeds=seeds), instance)
    run_failures(context)
    path = report_of(settings)
    text = path.read_text("utf-8")
    assert path.name.endswith(f"-{context.dagster_run.run_id[:8]}.md")
    assert text.startswith(f"# Run {context.dagster_run.run_id[:8]} of the job data_set failed")
    assert "seed_tasks: " in text
    assert "seeds.jsonl:1: not JSON" in text
    assert "Traceback" not in text
    assert 'File "' not in text
    assert "The run stored no reply of a teacher." in text
    assert f"/runs/{context.dagster_run.run_id}" in text
    log = log_of(instance, context)
    assert str(path) in log
    assert "Do what the message above says." in log


def test_several_errors_of_a_step_stay_on_lines(settings, instance, tmp_path):
    seeds = tmp_path / "seeds.jsonl"
    seeds.write_text("{no json\n[]\n", "utf-8")
    run_failures(failed(settings.changed(seeds=seeds), instance))
    text = report_of(settings).read_text("utf-8")
    for number in (1, 2):
        assert f"\n  {seeds}:{number}: " in text


def test_replies_and_assets_of_the_failed_run_are_named_as_kept(settings, instance, tmp_path):
    broken = settings.changed(requests=3)
    good = build_defs(broken).resolve_job_def("data_set")
    bad_rules = tmp_path / "rules.yaml"
    bad_rules.write_text("nothing: of this kind\n", "utf-8")
    selection = [dg.AssetKey("seed_tasks"), dg.AssetKey("raw_instructions")]
    first = good.execute_in_process(instance=instance, asset_selection=selection)
    assert first.success
    # The same run id: as if this run had asked, and then failed at a later step.
    job = build_defs(broken.changed(quality_rules=bad_rules)).resolve_job_def("data_set")
    result = job.execute_in_process(
        instance=instance,
        asset_selection=[dg.AssetKey("seed_tasks"), dg.AssetKey("deduplicated_instructions")],
        raise_on_error=False,
    )
    assert not result.success
    store = Store(broken.store.path)
    with store.write() as connection:
        connection.execute("update completions set run_id = $id", {"id": result.run_id})
    run_failures(context_of(result, broken, instance))
    text = report_of(broken).read_text("utf-8")
    assert "The store holds 3 replies that the run received" in text
    assert "a rehearsal only pretends" in text
    assert "they stay: seed_tasks." in text


def test_a_webhook_gets_the_summary_as_json(settings, instance, tmp_path):
    seeds = tmp_path / "seeds.jsonl"
    seeds.write_text("{no json\n", "utf-8")
    with receiver() as (server, url):
        context = failed(settings.changed(seeds=seeds, webhook_url=url), instance)
        run_failures(context)
    [(path, kind, body)] = server.bodies
    assert path == "/hooks/T0-secret-path"
    assert kind == "application/json"
    assert body["run_id"] == context.dagster_run.run_id
    assert body["job"] == "data_set"
    assert body["failed_steps"] == ["seed_tasks"]
    assert body["report"] == str(report_of(settings))
    for part in (*body["errors"], *body["kept"], *body["next_steps"]):
        assert part in body["text"]
    log = log_of(instance, context)
    assert "The webhook has it." in log
    assert "secret-path" not in log + report_of(settings).read_text("utf-8") + json.dumps(body)


@pytest.mark.parametrize(
    ("status", "words"), [(404, "status 404"), (500, "status 500"), (302, "status 302")]
)
def test_a_server_that_refuses_is_told_of_and_nothing_is_raised(
    settings, instance, tmp_path, status, words
):
    with receiver(status) as (_, url):
        context = failed(settings.changed(seeds=tmp_path / "none.jsonl", webhook_url=url), instance)
        run_failures(context)
    log = log_of(instance, context)
    assert words in log
    assert "secret-path" not in log


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/secret-path", "http://[::bad/secret-path"])
def test_an_address_without_a_server_is_told_of_and_not_shown(settings, instance, tmp_path, url):
    context = failed(settings.changed(seeds=tmp_path / "none.jsonl", webhook_url=url), instance)
    run_failures(context)
    log = log_of(instance, context)
    assert "The webhook did not take it" in log
    assert "secret-path" not in log


def test_a_server_that_never_answers_is_given_up(settings, instance, tmp_path, monkeypatch):
    from bioinstruct_dagster.automation import failure_sensor, webhook

    def impatient(url, message):
        return webhook.post_json(url, message, timeout=0.2)

    monkeypatch.setattr(failure_sensor, "post_json", impatient)
    hold = threading.Event()
    with receiver(wait=hold) as (_, url):
        context = failed(settings.changed(seeds=tmp_path / "none.jsonl", webhook_url=url), instance)
        run_failures(context)
        hold.set()
    assert "no answer within" in log_of(instance, context)


def test_no_secret_and_no_trace_of_an_unforeseen_error_leaves(settings, instance):
    @dg.op
    def careless():
        message = f"401 for key {KEY} at {'x' * 5_000}"
        raise RuntimeError(message)

    @dg.job
    def study():
        careless()

    result = study.execute_in_process(instance=instance, raise_on_error=False)
    with receiver() as (server, url):
        paid = settings.changed(teacher="openai", openai_api_key=KEY, webhook_url=url)
        context = context_of(result, paid, instance)
        run_failures(context)
    [(_, _, body)] = server.bodies
    text = report_of(paid).read_text("utf-8")
    for told in (json.dumps(body), text):
        assert KEY not in told
        assert "RuntimeError: 401 for key [secret]" in told
        assert "Traceback" not in told
        assert "x" * 3_000 not in told
    assert "An error without advice is a fault of this project" in text


def test_a_summary_that_can_t_be_made_hides_no_failure(settings, instance, tmp_path):
    context = failed(settings.changed(seeds=tmp_path / "none.jsonl"), instance)
    blocked = settings.store.data_dir / "reports"
    blocked.parent.mkdir(parents=True, exist_ok=True)
    blocked.write_text("a file where the folder should be", "utf-8")
    run_failures(context)
    assert "Its summary could not be written" in log_of(instance, context)


def test_the_address_must_be_one_of_the_web_and_is_not_repeated(monkeypatch):
    monkeypatch.setenv("BIOINSTRUCT_WEBHOOK_URL", "ftp://user:password@host")
    with pytest.raises(SettingsError, match="must begin with http") as error:
        load_settings(None)
    assert "password" not in str(error.value)
    assert "password" not in repr(Settings.of(webhook_url="https://user:password@host"))


def test_the_sensor_is_on_and_starts_no_run():
    assert run_failures.default_status == dg.DefaultSensorStatus.RUNNING
    assert not run_failures.targets


@pytest.mark.parametrize("ours", [True, False])
def test_a_failed_run_of_the_command_line_is_told_of_but_no_other_project_s(
    settings, instance, tmp_path, ours
):
    defs = build_defs(settings.changed(seeds=tmp_path / "none.jsonl"))

    @dg.asset
    def of_another_project() -> None:
        raise ValueError("no concern of ours")

    resources = {"store": Store(settings.store.path), "settings": settings}

    def evaluated(cursor):
        """The sensor as Dagster's daemon evaluates it: in the repository, from a cursor."""
        with dg.build_sensor_context(
            instance=instance, cursor=cursor, definitions=defs,
            repository_name="__repository__", sensor_name="run_failures",
            resources=resources,
        ) as context:  # fmt: skip
            return run_failures.evaluate_tick(context)

    begun = evaluated(None).cursor
    run_of = defs if ours else dg.Definitions(assets=[of_another_project])
    job = run_of.resolve_implicit_global_asset_job_def()
    [asset] = ["seed_tasks"] if ours else ["of_another_project"]
    result = job.execute_in_process(
        instance=instance, asset_selection=[dg.AssetKey(asset)], raise_on_error=False
    )
    assert not result.success
    # As of `dagster asset materialize`: the run names no code location.
    assert instance.get_run_by_id(result.run_id).remote_job_origin is None

    assert evaluated(begun).cursor != begun

    folder = settings.store.data_dir / "reports" / "failures"
    assert len(list(folder.glob(f"*-{result.run_id[:8]}.md"))) == ours


def started_in(run, folder):
    """The run as it would be stored if it had been started in this folder."""
    pointer = ModuleCodePointer("bioinstruct_dagster", "defs", str(folder))
    repository = RepositoryPythonOrigin(sys.executable, pointer)
    return run._replace(job_code_origin=JobPythonOrigin(run.job_name, repository))


@pytest.mark.parametrize("folder", ["another copy", "this copy", "no copy"])
def test_a_run_of_another_copy_of_the_project_is_that_copy_s(settings, instance, tmp_path, folder):
    copied = tmp_path / "copied" / "bioinstruct_dagster"
    copied.mkdir(parents=True)
    (copied / "__init__.py").touch()
    places = {"another copy": copied.parent, "this copy": PROJECT_ROOT, "no copy": tmp_path}
    defs = build_defs(settings.changed(seeds=tmp_path / "none.jsonl"))
    result = defs.resolve_job_def("data_set").execute_in_process(
        instance=instance, raise_on_error=False
    )
    [failure] = [e for e in result.all_events if e.event_type == dg.DagsterEventType.RUN_FAILURE]
    context = dg.build_run_status_sensor_context(
        sensor_name="run_failures",
        dagster_event=failure,
        dagster_instance=instance,
        dagster_run=started_in(instance.get_run_by_id(result.run_id), places[folder]),
        repository_def=defs.get_repository_def(),
        resources={"store": Store(settings.store.path), "settings": settings},
    ).for_run_failure()
    run_failures(context)
    reports = settings.store.data_dir / "reports" / "failures"
    assert reports.is_dir() == (folder != "another copy")
