"""Reading `.env`: no line that names a setting is skipped silently, and no message shows a key."""

import pytest

from bioinstruct_dagster.settings import SettingsError, load_settings
from bioinstruct_dagster.settings.env_file import read_env_file

CAP = "BIOINSTRUCT_MAX_USD"
SECRET = "sk-proj-a-key-that-nobody-may-see"  # noqa: S105


@pytest.fixture
def env_file(tmp_path):
    return tmp_path / ".env"


@pytest.mark.parametrize(
    "line",
    [
        f"{CAP}: 5",
        f"{CAP} 5",
        f"{CAP}='5",
        f'{CAP}="5',
        f"{CAP}='5' dollars",
        f"{CAP}",
        f"export {CAP}",
        f"{CAP}#=5",
        f"set {CAP}=5",
        f"setx {CAP} 5",
        f"$env:{CAP}=5",
        f'"{CAP}"=5',
        f"- {CAP}=5",
        f"{CAP}: =5",
        "bioinstruct_max_usd: 5",
        "BIOINSTRUCT-MAX-USD=5",
        "BIOINSTRUCT MAX_USD=5",
        "openai_base_url http://localhost:8000/v1",
        f"OTHER=1 {CAP}=5",
        f"BIOINSTRUCT_TEACHER_MODEL=gpt-5;{CAP}=5",
    ],
)
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_a_malformed_line_is_refused_with_its_number(env_file, line, line_end):
    lines = ["# the caps", "OTHER=x", "", f"  {line}", "BIOINSTRUCT_REQUESTS=7", "not ours at all"]
    env_file.write_bytes(line_end.join(lines).encode())
    with pytest.raises(SettingsError) as caught:
        load_settings(env_file)
    assert str(caught.value).count(f"{env_file}, line 4: ") == 1
    assert len(str(caught.value).splitlines()) == 2


@pytest.mark.parametrize(
    "text",
    [
        f"A='x\n{CAP}=5\nB='\n",
        f"A='x\n{CAP}=5\nB='y'\n",
        f'BIOINSTRUCT_TEACHER_MODEL="gpt-5\n{CAP}=5\nC="\n',
        f"A='x\n{CAP} 5\n'\n",
    ],
)
def test_a_setting_inside_open_quotes_is_refused(env_file, text):
    env_file.write_text(text, "utf-8")
    with pytest.raises(SettingsError, match=r"\.env, line 2: .* quotes that open in line 1"):
        load_settings(env_file)


def test_a_variable_that_is_set_twice_is_refused(env_file):
    env_file.write_text(f"{CAP}=5\nA=1\nA=2\n\n{CAP}=500\n", "utf-8")
    with pytest.raises(SettingsError, match=rf"\.env, line 5: {CAP} .* after line 1\."):
        load_settings(env_file)


def test_all_faults_of_a_file_are_named_at_once(env_file, monkeypatch):
    monkeypatch.setenv("BIOINSTRUCT_SEED", "x")
    env_file.write_text(f"{CAP} 5\nBIOINSTRUCT_MAX_TOKENS: 7\nBIOINSTRUCT_REQUESTS=0\n", "utf-8")
    with pytest.raises(SettingsError) as caught:
        load_settings(env_file)
    places = [line.strip().split(": ")[0] for line in str(caught.value).splitlines()[1:]]
    expected = {f"{env_file}, line 1", f"{env_file}, line 2", "BIOINSTRUCT_REQUESTS"}
    assert set(places) == expected | {"BIOINSTRUCT_SEED"}


@pytest.mark.parametrize(
    "text",
    [
        f"{CAP}=5\n",
        f"export {CAP}=5\n",
        f"  {CAP} = 5  # dollars, ${{HOME}}\n",
        f"{CAP}='5'\n",
        f"\ufeff{CAP}=5\n",
        f"# {CAP}: 7\n#{CAP}=8\n{CAP}=5",
        f"AZURE_OPENAI_API_KEY: x\nOTHER\nC='open\n{CAP}=5 # not {CAP}=7\n",
        f'COMMAND="env {CAP}=7 make"\nOPENAI_ORG_ID=o # {CAP}=7\n{CAP}=5\n',
    ],
)
def test_a_sound_line_is_read(env_file, text):
    env_file.write_text(text, "utf-8")
    assert load_settings(env_file).caps.max_usd == 5


@pytest.mark.parametrize(
    "content",
    [
        f"{CAP}=5\n".encode("utf-16"),
        f"{CAP}=5\n".encode("utf-16-le"),
        b"# caf\xe9\n" + f"{CAP}=5\n".encode(),
    ],
)
def test_a_file_that_is_not_utf8_is_refused(env_file, content):
    env_file.write_bytes(content)
    with pytest.raises(SettingsError, match=r"\.env: this is no UTF-8 text\. Save .* UTF-8\."):
        load_settings(env_file)


def test_a_folder_is_refused(env_file):
    env_file.mkdir()
    with pytest.raises(SettingsError, match=r"\.env: this is a folder"):
        load_settings(env_file)


def test_a_link_to_no_file_is_refused(env_file, tmp_path):
    env_file.symlink_to(tmp_path / "nothing")
    with pytest.raises(SettingsError, match=r"\.env: the link points to no file"):
        load_settings(env_file)


def test_a_missing_file_has_no_values(env_file):
    assert read_env_file(env_file) == ({}, [])


@pytest.mark.parametrize("quote", ["", "'", '"'])
def test_a_reference_in_a_value_is_refused(env_file, quote):
    env_file.write_text(f"OPENAI_API_KEY={quote}{SECRET}${{HOME}}x{quote}\n", "utf-8")
    with pytest.raises(SettingsError, match=r"line 1: OPENAI_API_KEY: references") as caught:
        load_settings(env_file)
    assert SECRET not in str(caught.value)


def test_a_dollar_sign_alone_is_kept(env_file):
    env_file.write_text("OPENAI_API_KEY=sk-$HOME$x\n", "utf-8")
    key = load_settings(env_file).teacher.api_key
    assert key is not None
    assert key.get_secret_value() == "sk-$HOME$x"


@pytest.mark.parametrize("form", ["OPENAI_API_KEY: {}", "OPENAI_API_KEY {}", "OPENAI_API_KEY='{}"])
def test_no_message_shows_a_key(env_file, form):
    env_file.write_text(form.format(SECRET), "utf-8")
    with pytest.raises(SettingsError, match="line 1") as caught:
        load_settings(env_file)
    assert SECRET not in str(caught.value)


def test_an_empty_environment_value_wins_over_the_file(env_file, monkeypatch):
    env_file.write_text(f"{CAP}=5\nBIOINSTRUCT_SEED=7\n", "utf-8")
    monkeypatch.setenv(CAP, "")
    settings = load_settings(env_file)
    assert (settings.caps.max_usd, settings.runs.seed) == (None, 7)


@pytest.mark.parametrize("name", ["openai_base_url", "OpenAI_API_Key", "bioinstruct_max_usd"])
@pytest.mark.parametrize("in_file", [True, False])
def test_a_name_in_small_letters_is_refused(env_file, monkeypatch, name, in_file):
    if in_file:
        env_file.write_text(f"{name}=5\n", "utf-8")
    else:
        monkeypatch.setenv(name, "5")
    with pytest.raises(SettingsError, match=rf"{name}: no such .* did you mean {name.upper()}\?"):
        load_settings(env_file)
