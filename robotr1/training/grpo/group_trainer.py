"""Work on whole groups in TRL's GRPO and RLOO trainers: what the G completions of a question share is computed once.

A mixin over hooks of TRL 1.16. Each speed-up has a name in `train_grpo.speedups`; without it, that part of a step is
TRL's own. None changes the mathematics: log-probabilities, losses and gradients are TRL's up to rounding
(tests/training/grpo/test_group_trainer.py), and completions are sampled from the same distribution.
"""

from typing import Any

import torch
from trl import RLOOTrainer
from trl.trainer.utils import split_pixel_values_by_grid, split_tensor_dict, unsplit_pixel_values_by_grid

from robotr1.policies.load import language_core
from robotr1.training import preflight
from robotr1.training.grpo.packing.log_probabilities import packed_log_probabilities
from robotr1.training.grpo.packing.rows import Groups, find_groups
from robotr1.training.grpo.rollout import generate as rollout
from robotr1.training.grpo.rollout.decoder import Decoder
from robotr1.training.grpo.rollout.sampling import Sampling
from robotr1.training.grpo.shared_processing import SharedProcessor, distinct, repeat_rows


class GroupTrainer:
    """Mixin for TRL's GRPOTrainer and RLOOTrainer.

    - shared_processing: text and image of a question are tokenised and prepared once for its G rows.
    - lean_decoding: completions from `rollout.sample_rows` instead of transformers' `generate`.
    - shared_prefill: within it, each prompt is prefilled once for its G completions.
    - shared_prompts: log-probabilities from packed rows (`packed_log_probabilities`).
    - skip_zero_std: rows of zero-std groups have advantage 0 and, without a KL term, no gradient; they are left out of
      forward and backward pass. Their logged log-probabilities and entropies are those of the rollout.
    - cuda_graph: within lean_decoding on a GPU, each decoding step replays one CUDA graph.

    TRL's own code runs for other architectures than Qwen2.5-VL and for rows without exactly one image.
    """

    speedups: frozenset[str] = frozenset()
    rollout_batch: int = 0  # completions sampled together; 0: all
    dense_rollout: bool = True  # see decoder.FusedLinear
    fused_head: bool | None = None  # see packed_log_probabilities
    _sampled: rollout.Completions | None = None
    _zero_std: tuple[torch.Tensor, torch.Tensor, torch.Tensor] | None = None

    def _tokenize_prompts(self, prompts):
        if "shared_processing" not in self.speedups:
            return super()._tokenize_prompts(prompts)
        first, which = distinct([repr(prompt) for prompt in prompts])  # an image's repr holds its address
        ids, images, fields = super()._tokenize_prompts([prompts[row] for row in first])
        return [ids[i] for i in which], images and [images[i] for i in which], repeat_rows(fields, which)

    def _generate_single_turn(self, prompt_ids, images, multimodal_fields, *rest):
        self._sampled = None
        model = self.accelerator.unwrap_model(self.model)
        core = language_core(model)
        one_image = images is not None and all(len(row or []) == 1 for row in images)
        if "lean_decoding" not in self.speedups or core is None or not one_image:
            return super()._generate_single_turn(prompt_ids, images, multimodal_fields, *rest)
        self._sampled = self.sample(model, core, prompt_ids, multimodal_fields)
        return self._sampled.ids if isinstance(self, RLOOTrainer) else (self._sampled.ids, None)

    @torch.no_grad()
    def sample(self, model, core, prompt_ids: list[list[int]], fields: dict[str, Any]) -> rollout.Completions:
        """One completion per row, in the rows' order, with the policy's present weights."""
        grids = torch.as_tensor(fields["image_grid_thw"])
        pixels = torch.as_tensor(fields["pixel_values"]).split(grids.prod(-1).tolist())
        groups = find_groups(prompt_ids, pixels)
        if "shared_prefill" not in self.speedups or len(groups.first) * groups.size != len(prompt_ids):
            groups = Groups.of_single_rows(len(prompt_ids))
        config = self.generation_config
        sampling = Sampling(
            length=config.max_new_tokens,
            temperature=self.temperature,
            top_p=self.top_p,
            ends=self.eos_token_ids,
            suppressed=config.suppress_tokens or [],
            pad=self._tokenizer.pad_token_id,
        )
        decoder = Decoder(core, model.get_output_embeddings(), dense=self.dense_rollout)
        graph = "cuda_graph" in self.speedups and self.accelerator.device.type == "cuda"
        return rollout.sample_rows(decoder, core, prompt_ids, fields, groups, sampling, self.rollout_batch, graph)

    def _calculate_rewards(self, inputs, prompts, completions, *rest):
        rewards = super()._calculate_rewards(inputs, prompts, completions, *rest)
        rows = slice(self.accelerator.process_index * len(inputs), None)  # the rewards are those of all processes
        preflight.check_rewards(rewards[rows][: len(inputs)], self.reward_func_names, completions)
        return rewards

    def _generate_and_score_completions(self, inputs):
        processor = self.processing_class
        if "shared_processing" in self.speedups:
            self.processing_class = SharedProcessor(processor)
        try:
            batch = super()._generate_and_score_completions(inputs)
        finally:
            self.processing_class = processor
        if self._sampled is not None:
            batch["rollout_logps"], batch["rollout_entropies"] = self._sampled.logps, self._sampled.entropies
        return batch

    def _prepare_inputs(self, generation_batch):
        """As TRL's, but groups stay whole when a rollout is split into micro-batches; TRL shuffles rows."""
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
        if "skip_zero_std" in self.speedups and self.beta == 0 and "rollout_logps" in inputs:
            self._zero_std = (inputs["advantages"] == 0, inputs["rollout_logps"], inputs["rollout_entropies"])
        try:
            return super()._compute_loss(model, inputs)
        finally:
            self._zero_std = None

    def _get_per_token_logps_and_entropies(
        self, model, input_ids, attention_mask, logits_to_keep, batch_size=None, compute_entropy=False, **options
    ):
        core = language_core(model)
        one_image = options.get("pixel_values") is not None and set(options.get("num_images") or [0]) == {1}
        if "shared_prompts" not in self.speedups or core is None or not one_image:
            return super()._get_per_token_logps_and_entropies(
                model, input_ids, attention_mask, logits_to_keep, batch_size, compute_entropy, **options
            )
        grids, token_types = options["image_grid_thw"], options["mm_token_type_ids"]
        images = options["pixel_values"].split(grids.prod(-1).tolist())
        rows = torch.arange(len(input_ids))
        if self._zero_std is not None:
            needed = (~self._zero_std[0]).nonzero()[:, 0].cpu()
            rows = needed if len(needed) else rows[:1]  # a loss without any row would have no gradient at all
        parts = []
        for part in rows.split(batch_size or len(rows)):
            with self.accelerator.autocast():
                parts.append(
                    packed_log_probabilities(
                        model, core, input_ids[part], attention_mask[part], logits_to_keep,
                        [images[row] for row in part.tolist()], grids[part], token_types[part],
                        self.temperature, self.fused_head,
                    )
                )  # fmt: skip
        logps, entropies = (torch.cat(one) for one in zip(*parts, strict=True))
        if self._zero_std is not None:
            _, *of_rollout = self._zero_std
            rows = rows.to(logps.device)
            logps, entropies = (
                before.to(after.dtype).index_copy(0, rows, after)
                for before, after in zip(of_rollout, (logps, entropies), strict=True)
            )
        return logps, entropies if compute_entropy else None, None
