"""Requests as trees of tokens: what several texts begin with is computed once.

The prompts of a task begin alike, and the options of a question follow one prompt. So the texts of
many requests are a tree. A pass holds such a tree in one sequence without padding: every token of
the tree once, at the position that it has in its own text.

Belongs here: building the trees, and filling passes with them. Does not: the attention that keeps
the branches apart (evaluation.engine.tree_attention), or running a model
(evaluation.engine.tree_passes).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from bioinstruct_dagster.evaluation.engine.requests import OptionRequest

Range = tuple[int, int]  # the first token in a pass, and the one behind the last
_PROMPT = -1  # in place of an option's token: the last token of the prompt


@dataclass(frozen=True, slots=True)
class Branch:
    """The tokens that a request adds to a pass, and what they follow.

    Attributes:
        before: where in the pass the tokens are that precede its own, in the order of the text.
        start: of its own tokens in the pass.
        chain: how many of them follow each other. The rest is a tree behind the chain.
        parents: for each token of the rest, the place of its parent in the rest; -1 for the end of
            the chain.
    """

    before: tuple[Range, ...]
    start: int
    chain: int
    parents: tuple[int, ...]

    @property
    def stop(self) -> int:
        """The token behind its own tokens in the pass."""
        return self.start + self.chain + len(self.parents)


@dataclass(frozen=True, slots=True)
class OptionTree:
    """The tokens of a request's options, of which each common beginning is there once.

    Attributes:
        tokens: those that other tokens follow. The last token of an option is never read.
        parents: for each, the place of its parent; -1 for the prompt.
        chain: how many tokens at the beginning follow each other, without another branch.
        scored: for each option, the place of the token that predicts each of its tokens, and that
            token.
    """

    tokens: tuple[int, ...]
    parents: tuple[int, ...]
    chain: int
    scored: tuple[tuple[tuple[int, int], ...], ...]

    @classmethod
    def of(cls, options: Sequence[Sequence[int]]) -> "OptionTree":
        """The tree of options, of which each has a token or more."""
        places: dict[tuple[int, int], int] = {}
        tokens: list[int] = []
        parents: list[int] = []
        scored = []
        for option in options:
            at = _PROMPT
            pairs = []
            for number, token in enumerate(option):
                pairs.append((at, token))
                if number + 1 == len(option):
                    break
                if (at, token) not in places:
                    places[at, token] = len(tokens)
                    tokens.append(token)
                    parents.append(at)
                at = places[at, token]
            scored.append(tuple(pairs))
        chain = 0
        # The tokens of the first option come first, so the place of an only child is `chain`.
        while parents.count(chain - 1) == 1:
            chain += 1
        return cls(tuple(tokens), tuple(parents), chain, tuple(scored))

    @property
    def predicting(self) -> int:
        """How many places predict a token."""
        return len({place for pairs in self.scored for place, _ in pairs})


@dataclass(slots=True)
class TreePass:
    """The tokens of a pass, T of them, and which of them predict the options' tokens.

    Attributes:
        requests: whose options are computed.
        ids: the T tokens.
        positions: of each in its own text.
        branches: the tokens that each request adds.
        predicting: the tokens whose logits are needed, each once for a request.
        targets: for each token of each option, the place in `predicting` and the token.
        option_tokens: how many targets each option has; the options of all requests in their order.
    """

    requests: list[OptionRequest] = field(default_factory=list)
    ids: list[int] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)
    branches: list[Branch] = field(default_factory=list)
    predicting: list[int] = field(default_factory=list)
    targets: list[tuple[int, int]] = field(default_factory=list)
    option_tokens: list[int] = field(default_factory=list)
    _path: list[Range] = field(default_factory=list)  # of the latest prompt

    def common(self, request: OptionRequest) -> int:
        """How many tokens a prompt has in common with that of the latest request."""
        if not self.requests:
            return 0
        return common_beginning(self.requests[-1].prompt_ids, request.prompt_ids)

    def add(self, request: OptionRequest, options: OptionTree) -> None:
        """Add a request whose prompt is not before the latest one in the order of token ids."""
        common = self.common(request)
        path = _shortened(self._path, common)
        start, prompt = len(self.ids), request.prompt_ids
        own = len(prompt) - common
        self.ids += [*prompt[common:], *options.tokens]
        depths: list[int] = []
        for parent in options.parents:
            depths.append(depths[parent] + 1 if parent != _PROMPT else len(prompt))
        self.positions += [*range(common, len(prompt)), *depths]
        self.branches.append(
            Branch(
                before=tuple(path),
                start=start,
                chain=own + options.chain,
                parents=tuple(
                    parent - options.chain if parent >= options.chain else -1
                    for parent in options.parents[options.chain :]
                ),
            )
        )
        if own:
            path.append((start, start + own))
        self._path = path
        self._score(options, end=path[-1][1] - 1, first=start + own)
        self.requests.append(request)

    def _score(self, options: OptionTree, *, end: int, first: int) -> None:
        """Note what predicts the options' tokens.

        Args:
            options: of the latest request.
            end: the last token of its prompt in the pass.
            first: the first token of the options in the pass.
        """
        rows: dict[int, int] = {}
        for pairs in options.scored:
            for place, token in pairs:
                if place not in rows:
                    rows[place] = len(self.predicting)
                    self.predicting.append(end if place == _PROMPT else first + place)
                self.targets.append((rows[place], token))
            self.option_tokens.append(len(pairs))


def passes_of(
    requests: Sequence[OptionRequest], *, tokens: int, predicting: int
) -> Iterator[TreePass]:
    """Fill passes with requests. Those whose prompts begin alike lie together.

    Args:
        requests: in any order. What is computed does not depend on it.
        tokens: of a pass. A request that has more is a pass of its own.
        predicting: the most tokens of a pass whose logits are needed, but for a single request.
    """
    one = TreePass()
    for request in sorted(requests, key=lambda request: (request.prompt_ids, request.option_ids)):
        options = OptionTree.of(request.option_ids)
        added = len(request.prompt_ids) - one.common(request) + len(options.tokens)
        full = len(one.ids) + added > tokens
        if one.requests and (full or len(one.predicting) + options.predicting > predicting):
            yield one
            one = TreePass()
        one.add(request, options)
    if one.requests:
        yield one


def common_beginning(one: Sequence[int], other: Sequence[int]) -> int:
    """How many tokens two texts have in common at their beginning."""
    least, most = 0, min(len(one), len(other))
    while least < most:  # comparing slices by halving is faster than token by token
        middle = (least + most + 1) // 2
        if one[least:middle] == other[least:middle]:
            least = middle
        else:
            most = middle - 1
    return least


def _shortened(path: Sequence[Range], tokens: int) -> list[Range]:
    """The first tokens of a path."""
    kept: list[Range] = []
    for start, stop in path:
        if tokens <= 0:
            break
        kept.append((start, min(stop, start + tokens)))
        tokens -= stop - start
    return kept
