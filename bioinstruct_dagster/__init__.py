"""From a few expert-written biomedical tasks to an instruction-tuned model, as Dagster assets.

This module holds only the name `defs`, which is loaded when it is first read. So
`-m bioinstruct_dagster` loads the project, and `import bioinstruct_dagster.training`, in the model
process or in a notebook, does not import Dagster.
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
    # Dagster finds loadable objects with dir(), which does not list a lazily loaded name by itself.
    return [*globals(), "defs"]
