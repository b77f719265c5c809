"""The launcher that the settings choose.

Belongs here: the choice, and the refusal if a library is missing. Does not: a launcher itself.
"""

import importlib.util
from collections.abc import Callable

from bioinstruct_dagster.models.compute.launcher import Launcher, ModelProcessError
from bioinstruct_dagster.models.compute.local import LocalLauncher
from bioinstruct_dagster.settings.compute import ComputeSettings


def launchers(settings: ComputeSettings) -> Callable[[], Launcher]:
    """A function that makes the launcher for one step.

    Raises:
        ModelProcessError: the library for BIOINSTRUCT_COMPUTE is not installed.
    """
    if settings.where != "local":
        # Ray without its job server's libraries can be imported, but has no job client.
        module = {"kubernetes": "kubernetes", "ray": "aiohttp_cors"}[settings.where]
        if importlib.util.find_spec(module) is None:
            raise ModelProcessError(
                f"BIOINSTRUCT_COMPUTE={settings.where} needs a library that is not installed. Run "
                f"pip install 'bioinstruct-dagster[{settings.where}]'."
            )
    return lambda: _launcher(settings)


def _launcher(settings: ComputeSettings) -> Launcher:
    launcher: Launcher
    match settings.where:
        case "kubernetes":
            from bioinstruct_dagster.models.compute.kubernetes_pods import KubernetesLauncher

            launcher = KubernetesLauncher(settings)
        case "ray":
            from bioinstruct_dagster.models.compute.ray_jobs import RayLauncher

            launcher = RayLauncher(settings)
        case _:
            launcher = LocalLauncher()
    if not settings.exchange_url:
        return launcher
    from bioinstruct_dagster.models.compute.travelling import TravellingLauncher

    return TravellingLauncher(launcher, settings.exchange_url)
