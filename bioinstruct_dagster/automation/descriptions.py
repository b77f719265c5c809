"""The descriptions of schedules and sensors that the UI shows.

Dagster shows the docstring of an asset, but not that of a schedule or a sensor. Belongs here:
taking it from there, so that the text stands beside the code. Does not: the texts.
"""

import inspect
from collections.abc import Callable
from typing import Any


def described(decorator: Callable[..., Any], **options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Dagster's decorator with these options, and the function's docstring as description.

    Args:
        decorator: Dagster's decorator of a schedule or a sensor.
        **options: of the decorator.
    """

    def decorate(function: Callable[..., Any]) -> Any:
        text = inspect.cleandoc(function.__doc__ or "")
        paragraphs = [" ".join(paragraph.split()) for paragraph in text.split("\n\n")]
        return decorator(description="\n\n".join(paragraphs), **options)(function)

    return decorate
