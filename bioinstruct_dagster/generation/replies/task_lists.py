"""Which list of tasks counts, if a reply holds several: a draft, and then the corrected version.

The last whole list counts. A last list that breaks or was cut is dropped in favour of the whole
list before it: of one list in two versions, the stump holds fewer tasks. But one list may be spread
over several JSON values, such as one object a line. These are the signs of a new list:

- words of revision before it ("Corrected version:"), in which the teacher says so itself;
- the first task of the list before stands there again;
- two objects that each hold a list of tasks, unless the teacher says that the second continues the
  first, or the second is much shorter.

Belongs here: where a new list begins, and which list counts. Does not: finding lists in a text
(json_tasks, numbered_tasks).
"""

import re

from bioinstruct_dagster.generation.replies.tasks import TaskList

WORDS_BEFORE = 600  # the most characters before a list that can tell what it is
_REVISION = re.compile(
    r"\b(?:correct(?:ed|ion|ions|ing)\b|revis|final|updat|improv|fix(?:ed|es|ing)?\b|rewrit|rewrote"
    r"|redo\b|refin|instead\b|wait\b|actually\b|oops|sorry|apolog|mistake|second attempt"
    r"|once again|(?:new|better|second) version|draft)",
    re.IGNORECASE,
)
_CONTINUATION = re.compile(
    r"\b(?:continu|next\b|more\b|remaining|additional|further\b|the rest\b|part (?:two|2)\b"
    r"|second (?:half|part|batch)|another\b|others?\b|also\b)",
    re.IGNORECASE,
)
# A text that only shows the form: "...", "<the instruction>", "[output]".
_PLACEHOLDER = re.compile(r"[\W_]*|<[^<>]{1,60}>|\[[^\[\]]{1,60}\]")


class TaskLists:
    """The lists of a reply in their order. Add each JSON value with tasks; then ask for the list.

    Attributes:
        before_stump: whether the list that counts is not the last one, which is not whole.
    """

    def __init__(self) -> None:
        self._current = TaskList()
        self._before: TaskList | None = None  # the last whole list before the current one
        self._largest = 0  # the most tasks of one value of the current list
        self._is_revised = False  # whether words of revision stand before the current list
        self.before_stump = False

    @property
    def is_recognized(self) -> bool:
        """Whether any value was recognized as tasks."""
        return self._current.is_recognized

    def add(self, piece: TaskList, *, is_collection: bool, words: str) -> None:
        """Add the tasks of the next value.

        Args:
            piece: its tasks.
            is_collection: whether the value is a list of tasks or holds one, and is no single task.
            words: the text between this value and the one before.
        """
        has_tasks = bool(self._current.tasks)
        if has_tasks and _is_form(piece) and piece.tasks:
            return  # it only shows the form of a task
        if has_tasks and (
            _is_form(self._current) or self._begins(piece, words, is_collection=is_collection)
        ):
            self._close()
            self._current = TaskList()
            self._largest = 0
            self._is_revised = announces_revision(words)
        self._largest = max(self._largest, piece.count)
        self._current.extend(piece)

    def chosen(self, *, is_whole: bool) -> TaskList:
        """The list that counts.

        Args:
            is_whole: whether the last value that was added is whole.
        """
        stump = not is_whole and (self._is_revised or not self._is_fragment())
        if stump and self._before is not None:
            self.before_stump = True
            return self._before
        self._close()
        return self._before or self._current

    def _begins(self, piece: TaskList, words: str, *, is_collection: bool) -> bool:
        """Whether a new list begins with these tasks."""
        if not piece.tasks:
            return False
        current = self._current
        revised = announces_revision(words)
        begins_again = _instruction(piece, 0) == _instruction(current, 0)
        if not is_collection or max(piece.count, self._largest) <= 1:  # one object for each task
            several = _instruction(current, -1) != _instruction(current, 0)
            return revised or (begins_again and several)
        if piece.count * 2 < current.count:
            return revised and piece.count > 1
        return revised or begins_again or not _CONTINUATION.search(words)

    def _is_fragment(self) -> bool:
        """Whether the current tasks, one object each, are only further tasks of the list before."""
        if self._before is None or self._largest > 1:
            return False
        if self._is_revised:
            return self._current.count < self._before.count
        return self._current.count != self._before.count

    def _close(self) -> None:
        """End the current list."""
        if self._before is not None and self._is_fragment():
            self._before.extend(self._current)
        else:
            self._before = self._current


def announces_revision(words: str) -> bool:
    """Whether a line before a list says that the list is a new version."""
    return bool(_REVISION.search(words))


def _instruction(tasks: TaskList, place: int) -> str:
    return " ".join(tasks.tasks[place]["instruction"].casefold().split())


def _is_form(tasks: TaskList) -> bool:
    """Whether each task only shows the form."""
    return all(
        _PLACEHOLDER.fullmatch(task["instruction"]) and _PLACEHOLDER.fullmatch(task["output"])
        for task in tasks.tasks
    )
