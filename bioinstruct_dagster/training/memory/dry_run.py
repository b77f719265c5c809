"""The bytes that a pass of training needs, counted by running it on tensors without values.

On torch's meta device, tensors have shapes but no memory. The model is built there from its
configuration, and a pass of the loop runs forward and backward while every tensor that lives is
counted. So the count follows the architecture, the adapter, dropout and checkpointing by itself.
Belongs here: the count of one pass. Does not: weights and optimizer (training.memory.estimate).
"""

import weakref
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bioinstruct_dagster.models.adapter_proof import check_targets
from bioinstruct_dagster.models.attention.passes import kept_logits
from bioinstruct_dagster.models.base_checks.weights import silent_transformers
from bioinstruct_dagster.models.experiments import Recipe
from bioinstruct_dagster.models.linear_layers import lora_config

if TYPE_CHECKING:
    import torch

_ATTENTION = "bioinstruct_counted"


@dataclass(frozen=True)
class DryModel:
    """A model with its adapter on the meta device.

    Attributes:
        model: peft's wrapper around the base model.
        weight_bytes: of the base model's weights, in its dtype.
        weight_count: their number.
        linear_weights: the number of weights of linear layers that QLoRA would quantise.
        largest_weight: the number of weights of the largest linear layer.
        adapter_weights: the number of the adapter's weights.
        device: that the model would run on.
    """

    model: Any
    weight_bytes: int
    weight_count: int
    linear_weights: int
    largest_weight: int
    adapter_weights: int
    device: str


def dry_model(config: Any, recipe: Recipe, dtype: str, device: str) -> DryModel:
    """Build the model and its adapter without memory.

    Args:
        config: transformers' config of the base model.
        recipe: gives rank, dropout and target modules.
        dtype: of the weights, by torch's name.
        device: `cuda` or `cpu`: which kernels the model would run.

    Raises:
        AdapterFaultError: the recipe's `target_modules` name layers that the model does not have.
    """
    import peft
    import torch
    from transformers import AutoModelForCausalLM

    with torch.device("meta"), silent_transformers():
        base = AutoModelForCausalLM.from_config(config, dtype=getattr(torch, dtype))
        base.tie_weights()
        weights = list({id(weight): weight for weight in base.parameters()}.values())
        weight_bytes = sum(weight.nbytes for weight in weights)
        head = base.get_output_embeddings()
        linear = [
            module.weight.numel()
            for module in base.modules()
            if isinstance(module, torch.nn.Linear) and module is not head
        ]
        check_targets(base, recipe)
        model = peft.get_peft_model(
            base,
            lora_config(recipe),
            # An adapter computes in the 16 bits of its base, because the loop runs in autocast.
            autocast_adapter_dtype=False,
        )
        own = [weight for weight in model.parameters() if weight.requires_grad]
        for weight in own:
            weight.grad = torch.zeros_like(weight)
    if device == "cuda":
        _with_fused_dropout(model)
    return DryModel(
        model,
        weight_bytes,
        sum(weight.numel() for weight in weights),
        sum(linear),
        max(linear, default=0),
        sum(weight.numel() for weight in own),
        device,
    )


def pass_bytes(dry: DryModel, tokens: int, predicted: int, *, checkpointing: bool) -> int:
    """The most bytes of activations, gradients and logits that live at once during a pass.

    Args:
        dry: the model on the meta device.
        tokens: of all rows of the pass.
        predicted: the response tokens among them, whose logits are computed.
        checkpointing: whether activations are computed twice to save memory.
    """
    inner = dry.model.get_base_model()
    with ExitStack() as stack:
        _register(dry.device)
        inner.set_attn_implementation(_ATTENTION)
        if checkpointing:
            inner.activation_checkpointing_enable({"use_reentrant": False})
            stack.callback(inner.activation_checkpointing_disable)
        dry.model.train()
        count = stack.enter_context(_LivingBytes())
        _losses(dry.model, tokens, predicted).sum().backward()
        return int(count.most)


def _losses(model: Any, tokens: int, predicted: int) -> "torch.Tensor":
    """What `token_losses` of models.attention.passes computes, in shapes alone."""
    import torch

    ids = torch.empty(1, tokens, dtype=torch.int64, device="meta")
    at = torch.empty(predicted, dtype=torch.int64, device="meta")
    # A mask spares transformers the question whether rows are packed, which needs values.
    mask = torch.empty(1, tokens, dtype=torch.int64, device="meta")
    kept = kept_logits(model, at, input_ids=ids, attention_mask=mask, use_cache=False)
    return torch.nn.functional.cross_entropy(kept[0].float(), at, reduction="none")


def _LivingBytes() -> Any:  # noqa: N802  # a class, made when torch is there
    """A mode that counts the bytes of all tensors that are made inside it and still live."""
    from torch.utils._python_dispatch import TorchDispatchMode
    from torch.utils._pytree import tree_leaves

    class LivingBytes(TorchDispatchMode):  # type: ignore[misc]
        most = 0

        def __init__(self) -> None:
            super().__init__()
            self._living = 0
            self._seen: weakref.WeakSet[Any] = weakref.WeakSet()

        def __torch_dispatch__(
            self, func: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            import torch

            result = func(*args, **(kwargs or {}))
            given = {
                id(one.untyped_storage())
                for one in tree_leaves((args, kwargs))
                if isinstance(one, torch.Tensor)
            }
            for one in tree_leaves(result):
                if isinstance(one, torch.Tensor):
                    storage = one.untyped_storage()
                    if id(storage) not in given and storage not in self._seen:
                        self._seen.add(storage)
                        self._grow(storage.nbytes())
                        weakref.finalize(storage, self._grow, -storage.nbytes()).atexit = False
            return result

        def _grow(self, size: int) -> None:
            self._living += size
            self.most = max(self.most, self._living)

    return LivingBytes()


def _with_fused_dropout(model: Any) -> None:
    """On a GPU, dropout keeps a mask of one byte a value; on a CPU, of the value's own size."""
    import torch

    class FusedDropout(torch.nn.Dropout):  # type: ignore[misc]
        def forward(self, values: "torch.Tensor") -> "torch.Tensor":
            return torch.native_dropout(values, self.p, self.training)[0]

    for module in list(model.modules()):
        for name, child in module.named_children():
            if type(child) is torch.nn.Dropout:
                setattr(module, name, FusedDropout(child.p))


def _register(device: str) -> None:
    """Let transformers call an attention that keeps what the real kernels keep."""
    from transformers import AttentionInterface, AttentionMaskInterface

    attention = _gpu_attention if device == "cuda" else _cpu_attention
    AttentionInterface.register(_ATTENTION, attention)
    AttentionMaskInterface.register(_ATTENTION, lambda *_args, **_kwargs: None)


def _cpu_attention(
    _module: Any, query: Any, key: Any, value: Any, _mask: Any = None, **_options: Any
) -> tuple[Any, None]:
    """SDPA row by row: keys and values are repeated for each query head, outputs are joined."""
    groups = query.shape[1] // key.shape[1]
    if groups > 1:
        key, value = (one.repeat_interleave(groups, 1) for one in (key, value))
    return _attention()(query, key, value).transpose(1, 2).contiguous(), None


def _gpu_attention(
    _module: Any, query: Any, key: Any, value: Any, _mask: Any = None, **_options: Any
) -> tuple[Any, None]:
    """The variable-length kernel: queries, keys, values, output and a number a head and token."""
    return _attention()(query, key, value).transpose(1, 2), None


def _attention() -> Any:
    import torch

    class Attention(torch.autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(ctx: Any, query: Any, key: Any, value: Any) -> Any:
            output = torch.empty_like(query.transpose(1, 2).contiguous()).transpose(1, 2)
            sums = query.new_empty(query.shape[:3], dtype=torch.float32)
            ctx.save_for_backward(query, key, value, output, sums)
            return output

        @staticmethod
        def backward(ctx: Any, _grad: Any) -> Any:
            saved = ctx.saved_tensors
            accumulated = saved[0].new_empty(saved[0].shape, dtype=torch.float32)
            grads = tuple(torch.empty_like(one) for one in saved[:3])
            del accumulated
            return grads

    return Attention.apply
