"""The trainers of `train_grpo.algorithm`: TRL's GRPO and RLOO, and REINFORCE++, which TRL lacks.

All work on whole groups (`group_trainer`) and resume exactly. They use hooks of TRL 1.16 and transformers 5.17.
"""

import torch
from trl import GRPOTrainer, RLOOTrainer

from robotr1.training.grpo.group_trainer import GroupTrainer


class ExactResume:
    """Resume from a checkpoint exactly where TRL and transformers do not.

    - A run that starts from an adapter: with a KL term, TRL keeps the start as a second adapter, and transformers then
      restores every adapter of a checkpoint except the one in training.
    - A run in its second epoch or later: TRL's sampler draws a new order of the questions each epoch, and would draw
      the first one again.
    """

    def _load_from_checkpoint(self, resume_from_checkpoint, model=None):
        super()._load_from_checkpoint(resume_from_checkpoint, model)
        if len(self.model.peft_config) > 1:
            self.model.load_adapter(resume_from_checkpoint, "default", is_trainable=True)

    def _get_train_sampler(self, dataset=None):
        self._order = super()._get_train_sampler(dataset)
        return self._order

    def _init_training_state(self, *arguments, **options):
        epochs, steps = super()._init_training_state(*arguments, **options)
        for _ in range(epochs):
            torch.randperm(self._order.num_samples, generator=self._order.generator)
        return epochs, steps


class GroupGRPOTrainer(ExactResume, GroupTrainer, GRPOTrainer):
    """TRL's GRPO on whole groups."""


class GroupRLOOTrainer(ExactResume, GroupTrainer, RLOOTrainer):
    """TRL's RLOO on whole groups."""


class ReinforcePlusPlusTrainer(GroupGRPOTrainer):
    """REINFORCE++ (arXiv 2501.03262): the advantage is the reward normalised over the whole batch instead of within
    each group, and the KL is subtracted from the reward instead of being a term of the loss.

    TRL's `scale_rewards="batch"` still subtracts the group's mean. The KL of a completion is the sum over its tokens of
    log-probability minus that of the reference ("k1"), as in TRL's RLOO.
    """

    def _calculate_rewards(self, *args, **kwargs):
        self._rewards = super()._calculate_rewards(*args, **kwargs)
        return self._rewards

    def _generate_and_score_completions(self, inputs):
        batch = super()._generate_and_score_completions(inputs)
        rewards = (self._rewards * self.reward_weights.to(self._rewards.device)).nansum(dim=1)
        if self.beta:
            rewards = rewards - self.beta * self.accelerator.gather(self._completion_kl(batch))
        advantages = (rewards - rewards.mean()) / (rewards.std() + 1e-4)
        start = self.accelerator.process_index * len(inputs)
        return {**batch, "advantages": advantages[start : start + len(inputs)]}

    @torch.no_grad()
    def _completion_kl(self, batch):
        """The KL of each completion [rows]; logs its mean per token."""
        ids, mask = batch["completion_ids"], batch["completion_mask"]
        logps = batch.get("old_per_token_logps", batch.get("rollout_logps"))
        if logps is None:
            image_fields = ("pixel_values", "image_grid_thw", "num_images", "mm_token_type_ids")
            logps, _, _ = self._get_per_token_logps_and_entropies(
                self.model,
                torch.cat([batch["prompt_ids"], ids], dim=1),
                torch.cat([batch["prompt_mask"], mask], dim=1),
                ids.shape[1],
                self.args.per_device_train_batch_size,
                **{name: batch[name] for name in image_fields if name in batch},
            )
        per_token = (logps - batch["ref_per_token_logps"]) * mask
        self._metrics["train"]["kl"].append((per_token.sum() / mask.sum()).item())
        return per_token.sum(dim=1)

    def _compute_loss(self, model, inputs):
        beta, self.beta = self.beta, 0.0
        try:
            return super()._compute_loss(model, inputs)
        finally:
            self.beta = beta


TRAINERS = {"grpo": GroupGRPOTrainer, "rloo": GroupRLOOTrainer, "reinforce_plus_plus": ReinforcePlusPlusTrainer}
