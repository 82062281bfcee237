"""An RL trainer that is interrupted, as by Ctrl-C, when its fourth step begins."""

from transformers import TrainerCallback

from robotr1.training.grpo import trainer as rl


class Interrupt(TrainerCallback):
    def on_step_begin(self, args, state, control, **kwargs):
        if state.global_step == 3:
            raise KeyboardInterrupt


def make_interrupted(*arguments):
    """Make the trainer as `rl.make_trainer` does; put it in its place with `monkeypatch.setattr`."""
    trainer = MAKE_TRAINER(*arguments)
    trainer.add_callback(Interrupt())
    return trainer


MAKE_TRAINER = rl.make_trainer
