"""From a few expert-written biomedical tasks to an instruction-tuned model, as Dagster assets.

Only the lazily resolved name `defs` lives here, so that `-m bioinstruct_dagster` loads the project
while `import bioinstruct_dagster.training` (in a trainer's process, in a notebook) stays free of
Dagster.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bioinstruct_dagster.definitions import defs

__all__ = ["defs"]


def __getattr__(name: str) -> Any:
    if name == "defs":
        from bioinstruct_dagster.definitions import defs

        return defs
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    # Dagster finds loadable objects through dir(); without this it would not see the lazy name.
    return [*globals(), "defs"]
