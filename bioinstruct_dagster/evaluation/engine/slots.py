"""The keys and values of answers under way: a batch whose rows begin and end at different times.

transformers' caches have one length for all rows, so a row can only begin where the longest one is.
Here each row is a slot with a length of its own: prompts are read into free slots, and each step
writes one token of every slot at the slot's own position.

A model is handed this object as its `past_key_values`. It does not inherit from transformers'
cache, which would load the library; `carries` finds out whether a model computes with it.

Belongs here: the tensors of slots, the masks of a step, and the comparison with a plain pass. Does
not: which request is in which slot (evaluation.engine.answers).
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bioinstruct_dagster.models.attention.passes import kept_logits

if TYPE_CHECKING:
    import torch

# The greatest difference of a logit between slots and a plain pass, as a share of the greatest
# logit: twice what other kernels were seen to change in float32, and a rounding in 16 bits.
_SAME = 1e-3
_SAME_16_BIT = 5e-2
_LAYER_TYPES = {"full_attention", "sliding_attention"}


class Slots:
    """The keys and values of all layers, and the forward passes that fill and use them."""

    is_compileable = False

    def __init__(self, number: int, capacity: int, device: str) -> None:
        """Slots without content; memory is taken when a layer first writes.

        Args:
            number: of slots.
            capacity: the most tokens of a slot.
            device: of the model.
        """
        self._number, self._capacity, self._device = number, capacity, device
        self._kept: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}
        self._filling = False  # prompts are read; otherwise a step is computed
        self._places: torch.Tensor  # (rows,): the slots that are filled, or where a step writes
        self._reach = 0  # the most tokens of a slot that a step sees

    def fill(
        self, model: Any, slots: Sequence[int], prompts: Sequence[Sequence[int]]
    ) -> "torch.Tensor":
        """Read prompts into slots.

        Args:
            model: of transformers.
            slots: one for each prompt.
            prompts: the token ids.

        Returns:
            The logits after each prompt, of shape (prompts, vocabulary).
        """
        import torch

        ends = [len(prompt) - 1 for prompt in prompts]
        width = max(ends) + 1
        # Padding on the right needs no mask: no token sees what follows it, and the padding's keys
        # are overwritten before a step sees them.
        ids = torch.tensor([[*prompt] + [0] * (width - len(prompt)) for prompt in prompts])
        self._filling, self._places = True, torch.tensor(slots, device=self._device)
        wanted, place = torch.tensor(ends, device=self._device).unique(return_inverse=True)
        logits = kept_logits(
            model, wanted, input_ids=ids.to(self._device), past_key_values=self, use_cache=True
        )  # (prompts, wanted, vocabulary)
        return logits[torch.arange(len(ends), device=self._device), place]

    def step(self, model: Any, tokens: Sequence[int], positions: Sequence[int]) -> "torch.Tensor":
        """Compute one token of each of the first slots.

        Args:
            model: of transformers.
            tokens: of each slot.
            positions: of each token in its row.

        Returns:
            The logits after each token, of shape (slots, vocabulary).
        """
        import torch

        ids, at = torch.tensor([tokens, positions], device=self._device)
        self._filling, self._places, self._reach = False, at, max(positions) + 1
        logits: torch.Tensor = model(
            input_ids=ids[:, None],
            position_ids=at[:, None],
            attention_mask=self._masks(model),
            past_key_values=self,
            use_cache=True,
        ).logits
        return logits[:, -1]

    def keep(self, slots: Sequence[int], tokens: int) -> None:
        """Move slots to the front; the others are lost.

        Args:
            slots: in their new order.
            tokens: of the longest of them.
        """
        import torch

        chosen = torch.tensor(slots, device=self._device)
        with torch.inference_mode():
            for pair in self._kept.values():
                for kept in pair:
                    kept[: len(slots), :, :tokens] = kept[:, :, :tokens].index_select(0, chosen)

    def _masks(self, model: Any) -> "torch.Tensor | dict[str, torch.Tensor]":
        """What each slot sees, its own tokens so far: (slots, 1, 1, reach)."""
        import torch

        def form(seen: "torch.Tensor") -> "torch.Tensor":
            # Attention in plain torch operations adds the mask to its scores.
            if config._attn_implementation != "eager":  # noqa: SLF001
                return seen
            least = torch.finfo(model.dtype).min
            return torch.zeros_like(seen, dtype=model.dtype).masked_fill_(~seen, least)

        at = torch.arange(self._reach, device=self._device)
        positions = self._places[:, None, None, None]
        seen = at <= positions
        config = model.config.get_text_config()
        window = getattr(config, "sliding_window", None)
        types = set(getattr(config, "layer_types", None) or ())
        if not window or self._reach <= window or types == {"full_attention"}:
            return form(seen)
        near = form(seen & (at > positions - window))
        if "full_attention" in types:
            return {"full_attention": form(seen), "sliding_attention": near}
        return near

    # What transformers' models call.

    def update(
        self, keys: "torch.Tensor", values: "torch.Tensor", layer_idx: int, *_: Any, **__: Any
    ) -> "tuple[torch.Tensor, torch.Tensor]":
        """Take in the keys and values of a pass, and give those that its tokens may see.

        Args:
            keys: of shape (rows, heads, tokens, width).
            values: like `keys`.
            layer_idx: the number of the layer.
        """
        if layer_idx not in self._kept:
            self._kept[layer_idx] = (self._empty(keys), self._empty(values))
        kept_keys, kept_values = self._kept[layer_idx]
        if self._filling:
            width = keys.shape[2]
            kept_keys[:, :, :width].index_copy_(0, self._places, keys)
            kept_values[:, :, :width].index_copy_(0, self._places, values)
            return keys, values
        rows = len(keys)
        at = self._places[:, None, None, None]
        kept_keys[:rows].scatter_(2, at.expand(-1, *keys.shape[1:]), keys)
        kept_values[:rows].scatter_(2, at.expand(-1, *values.shape[1:]), values)
        return kept_keys[:rows, :, : self._reach], kept_values[:rows, :, : self._reach]

    def get_seq_length(self, layer_idx: int = 0) -> int:  # noqa: ARG002  # transformers' name
        """The tokens before those of this pass, for a model that numbers positions itself."""
        return 0 if self._filling else self._reach - 1

    def get_query_offset(self, layer_idx: int = 0) -> int:
        """The same, for transformers' masks."""
        return self.get_seq_length(layer_idx)

    def get_mask_sizes(
        self,
        query_length: int,
        layer_idx: int = 0,  # noqa: ARG002  # transformers' name
    ) -> tuple[int, int]:
        """The number of keys that a pass sees, and the position of the first one."""
        return (query_length if self._filling else self._reach), 0

    def _empty(self, like: "torch.Tensor") -> "torch.Tensor":
        # Zeros, because what a mask hides must still be a number.
        return like.new_zeros(self._number, like.shape[1], self._capacity, like.shape[3])


def carries(model: Any, prompt: Sequence[int], device: str) -> bool:
    """Whether a model computes the same logits with slots as without any cache.

    Recurrent layers, and attention of another form, do not; nothing in a model's configuration says
    so reliably. Two rows of different lengths are compared after two steps.

    Args:
        model: of transformers.
        prompt: some token ids.
        device: of the model.
    """
    import torch

    config = model.config.get_text_config()
    if not set(getattr(config, "layer_types", None) or ()) <= _LAYER_TYPES:
        return False
    ids = ([*prompt] * 24)[:24]
    rows = [ids, ids[3:16]]
    slots = Slots(2, len(ids), device)
    try:
        with torch.inference_mode():
            logits = slots.fill(model, [0, 1], [row[:-2] for row in rows])
            for back in (2, 1):
                logits = slots.step(
                    model, [row[-back] for row in rows], [len(row) - back for row in rows]
                )
            plain = [
                model(input_ids=torch.tensor([row], device=device), use_cache=False).logits[0, -1]
                for row in rows
            ]
    except torch.OutOfMemoryError:
        raise
    except Exception:  # noqa: BLE001  # whatever a model of another form does with the slots
        return False
    expected = torch.stack(plain)
    share = _SAME_16_BIT if expected.element_size() == 2 else _SAME  # noqa: PLR2004
    difference = (logits - expected).abs().max()
    return bool(difference <= share * expected.abs().max())
