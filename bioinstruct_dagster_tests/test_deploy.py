"""The files of `deploy/`: what they name exists, and they hold no secret."""

import importlib.util
import re
import tomllib

import pytest
import yaml

from bioinstruct_dagster.settings import PROJECT_ROOT
from bioinstruct_dagster.settings.reading import PLACES

DEPLOY = PROJECT_ROOT / "deploy"
PAGE = (DEPLOY / "README.md").read_text("utf-8")
DOCKERFILE = (DEPLOY / "Dockerfile").read_text("utf-8")
# Programs that the page's commands call, and which no package of this project installs.
PROGRAMS = {"docker", "kubectl", "helm"}


def instructions(name: str) -> list[str]:
    """The Dockerfile's instructions of one name, without it."""
    joined = re.sub(r"\\\n\s*", " ", DOCKERFILE)
    return re.findall(rf"^{name} (.+)$", joined, re.MULTILINE)


def values() -> dict:
    return yaml.safe_load((DEPLOY / "values.yaml").read_text("utf-8"))


def deployment() -> dict:
    (one,) = values()["dagster-user-deployments"]["deployments"]
    return one


def commands() -> list[str]:
    """The commands of the page's blocks, each in one line."""
    blocks = re.findall(r"```bash\n(.*?)```", PAGE, re.DOTALL)
    lines = [line for block in blocks for line in re.sub(r"\\\n\s*", "", block).splitlines()]
    return [line.strip() for line in lines if line.strip()]


def test_the_image_is_made_of_files_that_are_there_and_not_left_out():
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text("utf-8").splitlines()
    assert "*" in ignored
    for copied in instructions("COPY"):
        for source in copied.split()[:-1]:
            assert (PROJECT_ROOT / source).exists(), source
            assert f"!{source}" in ignored, source
    inputs = {line[1:] for line in ignored if line.startswith("!data/")}
    in_git = (PROJECT_ROOT / ".gitignore").read_text("utf-8").splitlines()
    assert inputs == {line[1:] for line in in_git if line.startswith("!data/")}
    assert ".env" in ignored
    assert "data/*" in ignored


def test_the_image_installs_extras_that_are_declared_by_the_constraints():
    project = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    (install,) = [line for line in instructions("RUN") if "pip install" in line]
    (extras,) = re.findall(r"'\.\[([\w,]+)\]'", install)
    assert set(extras.split(",")) == {"kubernetes", "ray"}
    assert set(extras.split(",")) <= set(project["optional-dependencies"])
    assert "-c constraints.txt" in install


def test_the_image_runs_a_module_as_a_user_without_rights():
    assert instructions("USER") == ["1000"]
    assert instructions("ENTRYPOINT") == ['["tini", "--", "python", "-m"]']
    (command,) = instructions("CMD")
    module = re.findall(r'"([\w.]+)"', command)[0]
    assert importlib.util.find_spec(f"{module}.__main__")


def test_the_values_name_modules_and_settings_that_exist():
    ours = deployment()
    _, module = ours["dagsterApiGrpcArgs"]
    assert importlib.util.find_spec(module)
    names = [entry["name"] for entry in ours["env"]]
    assert {name for name in names if name not in PLACES} == set()
    assert values()["concurrency"]["pools"]["defaultLimit"] == 1
    # The chart refuses both in one file.
    assert "config" not in values()["dagsterDaemon"]["runCoordinator"]


def test_the_values_are_settings_that_load(monkeypatch):
    from bioinstruct_dagster.settings import load_settings

    for entry in deployment()["env"]:
        monkeypatch.setenv(entry["name"], entry["value"])
    settings = load_settings(None)
    image = deployment()["image"]
    assert settings.compute.where == "kubernetes"
    assert settings.compute.image == f"{image['repository']}:{image['tag']}"
    secrets = [one["name"] for one in deployment()["envSecrets"]]
    assert settings.compute.secret in secrets
    assert settings.compute.secret != secrets[0]  # the teacher's key stays at home
    assert all(f"secret generic {secret} " in PAGE.replace("\\\n", "") for secret in secrets)


def test_the_instance_of_the_chart_is_one_that_dagster_accepts():
    from dagster_k8s.launcher import K8sRunLauncher

    given = values()["runLauncher"]
    assert given["type"] == K8sRunLauncher.__name__
    assert given["config"]["k8sRunLauncher"]["resources"]["limits"]


def test_no_secret_stands_in_a_file():
    for path in DEPLOY.iterdir():
        text = path.read_text("utf-8")
        assert not re.search(r"\b(sk-|hf_|AKIA)\w{8,}", text), path.name
    assert not {e["name"] for e in deployment()["env"] if re.search("KEY|TOKEN", e["name"])}


def test_the_pages_commands_can_be_called():
    scripts = {"pip", "ray", "dagster"}
    assert commands()
    for command in commands():
        words = [word for word in command.split() if "=" not in word.split("/")[0] or "--" in word]
        assert words[0] in PROGRAMS | scripts, command
        for file in re.findall(r"(?:-f|-c) (\S+\.\w+|deploy/\S+)", command):
            assert (PROJECT_ROOT / file).is_file(), command
        for module in re.findall(r"-m (\S+)", command):
            assert importlib.util.find_spec(module), command


@pytest.mark.parametrize("name", sorted(set(re.findall(r"BIOINSTRUCT_[A-Z_]+", PAGE))))
def test_the_pages_settings_exist(name):
    assert name in PLACES


def test_the_files_that_the_page_names_exist():
    for file in re.findall(r"`((?:deploy|docs|data)/[\w./-]+)`", PAGE):
        assert (PROJECT_ROOT / file).exists() or file == "data/adapters", file
