"""TRL's GRPO and RLOO trainers, made to work on groups: what G answers to one question share is done once.

A mixin over hooks of TRL 1.16. Each speed-up has a name in `train_grpo.speedups` and can be left out; a step then does
that part as TRL does. None changes the mathematics: log-probabilities, losses and gradients are TRL's up to rounding
(tests/training/test_grouped.py), and answers are drawn by the same law.
"""

from collections.abc import Sequence
from typing import Any

import torch
from transformers import BatchFeature
from trl import RLOOTrainer
from trl.trainer.utils import split_pixel_values_by_grid, split_tensor_dict, unsplit_pixel_values_by_grid

from robotr1.policies.architecture import language_core
from robotr1.training import preflight
from robotr1.training.grpo import packing, rollout


class GroupedTrainer:
    """Mixin for TRL's GRPOTrainer and RLOOTrainer.

    - shared_processing: text and image of a question are tokenised and prepared once for its G rows.
    - lean_decoding: completions by `rollout.write` instead of transformers' `generate`.
    - shared_prefill: within it, each question is read once for its G answers.
    - shared_prompts: log-probabilities from packed rows (`packing.score`).
    - silent_groups: rows whose advantage is exactly zero (all rewards of the group alike) are left out of forward and
      backward pass where nothing else (a KL term) wants their gradient. Their log-probabilities and entropies, which
      are logged, are those of the moment when they were written.
    - cuda_graph: within lean_decoding on a GPU, each decoding step is one replayed graph.

    Steps aside for other architectures than Qwen2.5-VL and for rows without exactly one image.
    """

    speedups: frozenset[str] = frozenset()
    rollout_batch: int = 0  # completions that are written together; 0: all
    dense_rollout: bool = True  # see rollout.Product
    fused_head: bool | None = None  # see packing.score
    _written: rollout.Completions | None = None
    _silent: tuple[torch.Tensor, torch.Tensor, torch.Tensor] | None = None

    def _tokenize_prompts(self, prompts):
        if "shared_processing" not in self.speedups:
            return super()._tokenize_prompts(prompts)
        first, which = distinct([repr(prompt) for prompt in prompts])  # an image's repr holds its address
        ids, images, fields = super()._tokenize_prompts([prompts[row] for row in first])
        return [ids[i] for i in which], images and [images[i] for i in which], repeat_rows(fields, which)

    def _generate_single_turn(self, prompt_ids, images, multimodal_fields, *rest):
        self._written = None
        model = self.accelerator.unwrap_model(self.model)
        core = language_core(model)
        one_image = images is not None and all(len(found or []) == 1 for found in images)
        if "lean_decoding" not in self.speedups or core is None or not one_image:
            return super()._generate_single_turn(prompt_ids, images, multimodal_fields, *rest)
        self._written = self.write(model, core, prompt_ids, multimodal_fields)
        return self._written.ids if isinstance(self, RLOOTrainer) else (self._written.ids, None)

    @torch.no_grad()
    def write(self, model, core, prompt_ids: list[list[int]], fields: dict[str, Any]) -> rollout.Completions:
        """One completion a row, in the rows' order; prompts of about the same length are read together."""
        device, config = self.accelerator.device, self.generation_config
        grids = torch.as_tensor(fields["image_grid_thw"])
        pixels = torch.as_tensor(fields["pixel_values"]).split(grids.prod(-1).tolist())
        groups = packing.find_groups(prompt_ids, pixels)
        size = groups.size
        if "shared_prefill" not in self.speedups or len(groups.first) * size != len(prompt_ids):
            every = torch.arange(len(prompt_ids))
            groups, size = packing.Groups(every, every, torch.zeros_like(every)), 1
        first = groups.first.tolist()
        order = sorted(range(len(first)), key=lambda group: (len(prompt_ids[first[group]]), group))
        sampling = rollout.Sampling(
            config.max_new_tokens, self.temperature, self.top_p, self.eos_token_ids,
            config.suppress_tokens or [], self._tokenizer.pad_token_id,
        )  # fmt: skip
        decoder = rollout.Decoder(core, model.get_output_embeddings(), dense=self.dense_rollout)
        together = max(1, self.rollout_batch // size) if self.rollout_batch else len(order)
        parts = []
        for start in range(0, len(order), together):
            asked = [first[group] for group in order[start : start + together]]
            prompts = rollout.Prompts.build(
                core,
                [prompt_ids[row] for row in asked],
                [fields["mm_token_type_ids"][row] for row in asked],
                torch.cat([pixels[row] for row in asked]).to(device),
                grids[asked].to(device),
            )
            graph = "cuda_graph" in self.speedups and device.type == "cuda"
            parts.append(rollout.write(decoder, prompts, size, sampling, graph))
        place = torch.tensor(order).argsort()[groups.group] * size + groups.slot
        return rollout.join(parts).pick(place)

    def _calculate_rewards(self, inputs, prompts, completions, *rest):
        rewards = super()._calculate_rewards(inputs, prompts, completions, *rest)
        rows = slice(self.accelerator.process_index * len(inputs), None)  # the rewards are those of all processes
        preflight.check_rewards(rewards[rows][: len(inputs)], self.reward_func_names, completions)
        return rewards

    def _generate_and_score_completions(self, inputs):
        processor = self.processing_class
        if "shared_processing" in self.speedups:
            self.processing_class = ProcessOnce(processor)
        try:
            batch = super()._generate_and_score_completions(inputs)
        finally:
            self.processing_class = processor
        if self._written is not None:
            batch["written_logps"], batch["written_entropies"] = self._written.logps, self._written.entropies
        return batch

    def _prepare_inputs(self, generation_batch):
        """TRL's, but groups stay whole when a rollout is cut into micro-batches: TRL shuffles rows."""
        rounds = self.args.steps_per_generation
        if not self.model.training:
            return super()._prepare_inputs(generation_batch)
        if self._step % (rounds * self.num_iterations) == 0 or self._buffered_inputs is None:
            batch = self._generate_and_score_completions(generation_batch)
            if rounds == 1:
                self._buffered_inputs = [batch]
            else:
                parts = split_tensor_dict(split_pixel_values_by_grid(batch), rounds)
                self._buffered_inputs = [unsplit_pixel_values_by_grid(part) for part in parts]
        return self._buffered_inputs[self._step % rounds]

    def _compute_loss(self, model, inputs):
        if "silent_groups" in self.speedups and self.beta == 0 and "written_logps" in inputs:
            self._silent = (inputs["advantages"] == 0, inputs["written_logps"], inputs["written_entropies"])
        try:
            return super()._compute_loss(model, inputs)
        finally:
            self._silent = None

    def _get_per_token_logps_and_entropies(
        self, model, input_ids, attention_mask, logits_to_keep, batch_size=None, compute_entropy=False, **options
    ):
        core = language_core(model)
        one_image = options.get("pixel_values") is not None and set(options.get("num_images") or [0]) == {1}
        if "shared_prompts" not in self.speedups or core is None or not one_image:
            return super()._get_per_token_logps_and_entropies(
                model, input_ids, attention_mask, logits_to_keep, batch_size, compute_entropy, **options
            )
        grids, kinds = options["image_grid_thw"], options["mm_token_type_ids"]
        images = options["pixel_values"].split(grids.prod(-1).tolist())
        rows = torch.arange(len(input_ids))
        if self._silent is not None:
            loud = (~self._silent[0]).nonzero()[:, 0].cpu()
            rows = loud if len(loud) else rows[:1]  # a loss without any row would have no gradient at all
        found = []
        for part in rows.split(batch_size or len(rows)):
            with self.accelerator.autocast():
                found.append(
                    packing.score(
                        model, core, input_ids[part], attention_mask[part], logits_to_keep,
                        [images[row] for row in part.tolist()], grids[part], kinds[part],
                        self.temperature, self.fused_head,
                    )
                )  # fmt: skip
        logps, entropies = (torch.cat(one) for one in zip(*found, strict=True))
        if self._silent is not None:
            _, *written = self._silent
            rows = rows.to(logps.device)
            logps, entropies = (
                before.to(after.dtype).index_copy(0, rows, after)
                for before, after in zip(written, (logps, entropies), strict=True)
            )
        return logps, entropies if compute_entropy else None, None


def distinct(keys: Sequence[str]) -> tuple[list[int], list[int]]:
    """The rows where each key stands first, and for every row which of them has its key."""
    order: dict[str, int] = {}
    which = [order.setdefault(key, len(order)) for key in keys]
    return [which.index(i) for i in range(len(order))], which


def repeat_rows(fields: dict[str, Any], rows: Sequence[int]) -> dict[str, Any]:
    """A processor's outputs for `rows` (one image each), a row as often as it is named."""
    patches = torch.as_tensor(fields["image_grid_thw"]).prod(-1).tolist()
    pixels = torch.as_tensor(fields["pixel_values"]).split(patches)
    taken = {
        name: [value[row] for row in rows] if isinstance(value, list) else value[rows]
        for name, value in fields.items()
        if name != "pixel_values"
    }
    return {**taken, "pixel_values": torch.cat([pixels[row] for row in rows])}


class ProcessOnce:
    """Stands in for a processor and does rows of the same text and the same image object once."""

    def __init__(self, inner: Any):
        self.inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def __call__(self, images: Sequence[Sequence[Any]], text: Sequence[str], **options: Any) -> BatchFeature:
        first, which = distinct([f"{id(shown[0])} {asked}" for shown, asked in zip(images, text, strict=True)])
        out = self.inner(images=[images[row] for row in first], text=[text[row] for row in first], **options)
        return BatchFeature(repeat_rows(out, which))
