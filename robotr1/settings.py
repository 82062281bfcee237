"""Read and validate params.yaml: one frozen dataclass per stage.

Every field must be stated, since a default in code would be a hidden hyper-parameter. An unknown name, a wrong type or
an impossible value is an error that names file, section, field and fix. Notebooks state the same names in their
`parameters` cell and turn them into a dataclass with `from_notebook`.
"""

import dataclasses
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from robotr1 import fields, paths
from robotr1.fields import at_least
from robotr1.records import QuestionType

# Valid values of build_questions.distractors. Registering a strategy (questions/distractors) appends its name.
DISTRACTORS = ["uniform", "same_episode", "other_episodes", "near_miss", "mirrored", "paired"]


class SettingsError(ValueError):
    """params.yaml or a notebook's parameters are invalid; the message names the place and the fix."""


@dataclass(frozen=True)
class Policies:
    """The policies that the study trains: the lists of DVC's matrix stages."""

    forms: list[Literal["direct", "cot", "cold_start", "planning"]]
    algorithms: list[Literal["grpo", "rloo", "reinforce_plus_plus"]]
    seeds: list[int]

    @property
    def trained(self) -> list[str]:
        """Names of the trained policies, which are those of their folders in models/."""
        reinforced = [f"{algorithm}-seed{seed}" for algorithm in self.algorithms for seed in self.seeds]
        return [f"sft-{form}" for form in self.forms] + reinforced


@dataclass(frozen=True)
class ExtractDemos:
    source: Literal["tabletop", "recorded", "rlbench"]
    recorded_folder: str  # for source: recorded; relative to the repository root, or absolute
    train_tasks: list[str]
    held_out_tasks: list[str]
    demos_per_train_task: int = at_least(1)
    demos_per_held_out_task: int = at_least(0)
    image_size: int = at_least(28)  # pixels, square
    frame_interval: int = at_least(1)
    frames: Literal["questions", "all"]  # which frames get images
    cameras: list[Literal["left_shoulder", "right_shoulder", "overhead", "wrist", "front"]]
    depth_and_masks: bool
    workers: int = at_least(1)
    seed: int = at_least(0)

    def __post_init__(self) -> None:
        if "front" not in self.cameras:
            raise fields.FieldError("cameras", f"got {self.cameras}; all later stages look through the camera front")
        if self.source == "recorded" and not self.recorded_folder:
            raise fields.FieldError("recorded_folder", "empty; source: recorded needs a folder of RLBench episodes")
        if shared := sorted(set(self.train_tasks) & set(self.held_out_tasks)):
            raise fields.FieldError("held_out_tasks", f"{', '.join(shared)} also in train_tasks; keep them apart")


@dataclass(frozen=True)
class DesignMetadata:
    stopping_delta: float = at_least(0)  # rad/s
    frame_interval: int = at_least(1)
    in_prompt: list[Literal["axes", "reference", "scale"]]  # which metadata prompts tell


@dataclass(frozen=True)
class BuildQuestions:
    types: list[QuestionType]
    forms: list[Literal["open", "planning"]]  # written besides multiple choice
    state: Literal["position", "extended"]  # [x, y, z], or with roll, pitch, yaw and gripper
    held_out_tasks: list[str]  # as in extract_demos: only tested on
    frame_interval: int = at_least(1)  # as in design_metadata
    options: int = at_least(2, 8)
    option_order: Literal["shuffled", "canonical"]
    distractors: str  # one of DISTRACTORS: the strategy that samples distractors
    minimum_gap: float = at_least(0)  # metres between any two options
    near_distance: float = at_least(0.01)  # metres: the largest distance between two near_miss options
    paired_questions: int = at_least(4)  # paired: training questions of each type; moments are used several times
    paired_neighbours: float = at_least(0, 1)  # paired: share of waypoint sets about two neighbouring steps
    dead_zone: float = at_least(0)  # metres
    decimals: int = at_least(0, 6)
    prompt: Literal["compact", "full"]
    show_state: bool  # state the gripper's position in waypoint prompts, as the paper does
    show_state_in_movement: bool  # the same for movement prompts: section 3.2 says yes, figure 6 says no
    prompt_budget: int = at_least(64)  # tokens of a prompt with its image, estimated from above
    validation_episodes: int = at_least(0)
    test_episodes: int = at_least(0)
    seed: int = at_least(0)

    def __post_init__(self) -> None:
        if self.distractors not in DISTRACTORS:
            raise fields.FieldError(
                "distractors",
                f"got {self.distractors!r}, expected one of {', '.join(DISTRACTORS)}; a strategy of your own must be "
                "registered in this process first (register_strategy)",
            )
        if self.distractors == "paired" and self.options != 4:
            raise fields.FieldError("options", f"got {self.options}; paired sets have four options")


@dataclass(frozen=True)
class PrepareBase:
    base: str  # tiny, a hub id, or a local folder
    revision: str  # pinned hub revision; empty for tiny and folders
    quantization: Literal["none", "nf4"]


@dataclass(frozen=True)
class FinetuneSft:
    form: Literal["direct", "cot", "cold_start", "planning"]  # DVC runs the stage once per form in `policies`
    seed: int = at_least(0)
    quantization: Literal["none", "nf4"]
    steps: int = at_least(1)
    batch_size: int = at_least(1)
    micro_batch: int = at_least(0)  # examples in one forward pass; 0: the whole batch
    gradient_checkpointing: bool
    learning_rate: float = at_least(0)
    warmup_steps: int = at_least(0)
    weight_decay: float = at_least(0)
    max_grad_norm: float = at_least(0)
    lora_rank: int = at_least(1)
    lora_alpha: int = at_least(1)
    save_steps: int = at_least(1)
    report_to: Literal["none", "tensorboard", "dvclive"]
    threads: int = at_least(1)


@dataclass(frozen=True)
class TrainGrpo:
    algorithm: Literal["grpo", "rloo", "reinforce_plus_plus"]  # DVC runs the stage once per algorithm and seed
    form: Literal["mcqa", "open", "planning"]  # the question form, which decides the reward functions
    types: list[QuestionType]  # of mcqa and open questions; open has waypoint and state
    start: str  # base, or a supervised policy in models/ whose adapter is trained further
    seed: int = at_least(0)
    quantization: Literal["none", "nf4"]
    steps: int = at_least(1)  # optimiser updates
    prompts_per_step: int = at_least(1)
    num_generations: int = at_least(2)
    micro_batch: int = at_least(0)  # completions in one forward pass; 0: all of a step
    rollout_batch: int = at_least(0)  # completions sampled together; 0: all of a rollout
    dense_rollout: bool  # NF4: sample with a second, dense copy of the weights, faster where memory allows
    speedups: list[  # parts of TRL's step that are computed faster, same numbers; training/grpo/group_trainer.py
        Literal[
            "image_cache",
            "shared_processing",
            "lean_decoding",
            "shared_prefill",
            "shared_prompts",
            "skip_zero_std",
            "cuda_graph",
        ]
    ]
    updates_per_rollout: int = at_least(1)  # optimiser updates on one batch of sampled completions
    num_iterations: int = at_least(1)  # passes over the same completions
    gradient_checkpointing: bool
    temperature: float = at_least(0.01)
    top_p: float = at_least(0.01, 1)
    max_completion_length: int = at_least(1)
    format_weight: float = at_least(0)
    accuracy_weight: float = at_least(0)
    consistency_weight: float = at_least(0)
    learning_rate: float = at_least(0)
    warmup_steps: int = at_least(0)
    weight_decay: float = at_least(0)
    max_grad_norm: float = at_least(0)
    beta: float = at_least(0)
    epsilon: float = at_least(0)
    epsilon_high: float = at_least(0)
    loss_type: Literal["grpo", "dr_grpo", "dapo", "bnpo"]
    scale_rewards: Literal["group", "batch", "none"]
    lora_rank: int = at_least(1)
    lora_alpha: int = at_least(1)
    save_steps: int = at_least(1)
    report_to: Literal["none", "tensorboard", "dvclive"]
    threads: int = at_least(1)

    def __post_init__(self) -> None:
        if not self.types or len(set(self.types)) < len(self.types):
            raise fields.FieldError("types", f"got {self.types}; name at least one question type, and each once")
        if self.form == "open" and self.types == ["movement"]:
            raise fields.FieldError("types", "movement questions have no open form; add waypoint or state")
        if self.consistency_weight and self.form != "mcqa":
            raise fields.FieldError("consistency_weight", f"form {self.form} has no letter to agree with; set it to 0")


@dataclass(frozen=True)
class RunBenchmarks:
    quantization: Literal["none", "nf4"]
    batch_size: int = at_least(1)
    max_completion_length: int = at_least(1)
    temperature: float = at_least(0)  # 0 is greedy
    questions_per_split: int = at_least(0)  # drawn evenly; 0: all
    faithfulness_questions: int = at_least(0)  # of each test split, repeated after other thoughts; 0: none
    reasoning: list[Literal["planning", "high_level", "movement", "spatial"]]  # abilities asked in free text
    judge: Literal["reference", "endpoint"]  # of free text
    judge_url: str  # of an OpenAI-compatible server, for judge: endpoint
    judge_model: str  # as that server names it
    spatial_questions: int = at_least(0)  # of SpatialRGPT-Bench's form, drawn evenly; 0: none
    closed_loop_episodes: int = at_least(0)  # per policy, spread over the tasks; 0: none
    embodied_scenes: int = at_least(0)  # of each task of the EB-Manipulation protocol, for its controls
    workers: int = at_least(1)  # policies that run at a time, each with `threads` threads
    threads: int = at_least(1)
    seed: int = at_least(0)

    def __post_init__(self) -> None:
        if self.judge == "endpoint" and not (self.judge_url and self.judge_model):
            raise fields.FieldError("judge", "endpoint needs judge_url and judge_model")


@dataclass(frozen=True)
class AnalyzeResults:
    confidence: float = at_least(0.5, 0.999)
    close_distance: float = at_least(0)  # metres: a written position this near to the true one counts as right
    examples: int = at_least(0)
    human_scores: str  # a CSV (policy, id, rater, score) to compare the judge with, or empty
    seed: int = at_least(0)


SECTIONS: dict[str, type] = {
    "policies": Policies,
    "extract_demos": ExtractDemos,
    "design_metadata": DesignMetadata,
    "build_questions": BuildQuestions,
    "prepare_base": PrepareBase,
    "finetune_sft": FinetuneSft,
    "train_grpo": TrainGrpo,
    "run_benchmarks": RunBenchmarks,
    "analyze_results": AnalyzeResults,
}
TOP_LEVEL = ("profile", "seed")  # plain values beside the sections
RENAMED = {"train_grpo": {"silent_groups": "skip_zero_std"}}  # section: old name: new name, of fields and values


def check_section(name: str, mapping: Any, file: Path | str = "params.yaml") -> Any:
    """Turn one section's mapping into its dataclass.

    Raises SettingsError that names `file`, section and field where a name is unknown or missing or a value invalid.
    """
    if name not in SECTIONS:
        raise SettingsError(f"{file}: unknown section {name!r}; the sections are {', '.join(SECTIONS)}")
    if not isinstance(mapping, dict):
        raise SettingsError(f"{file}: section {name} is {mapping!r}; write its fields as `name: value` lines")
    for key, value in mapping.items():
        for old, new in RENAMED.get(name, {}).items():
            if old in (key, value) or (isinstance(value, list) and old in value):
                raise SettingsError(f"{file}: {name}.{key}: {old} is now called {new}")
    try:
        return fields.build(SECTIONS[name], mapping)
    except fields.FieldError as error:
        raise SettingsError(f"{file}: {name}.{error}") from None


def read_params(path: Path | str = paths.PARAMS) -> dict[str, Any]:
    """Read params.yaml as plain values. Raises SettingsError where it is missing or not YAML."""
    path = Path(path)
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_YamlLoader)
    except FileNotFoundError:
        raise SettingsError(f"{path} is missing; restore it with `git checkout params.yaml`") from None
    except yaml.YAMLError as error:
        raise SettingsError(f"{path} is not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(content, dict):
        raise SettingsError(f"{path}: expected sections ({', '.join(SECTIONS)}), got {type(content).__name__}")
    return content


def load_settings(path: Path | str = paths.PARAMS) -> dict[str, Any]:
    """Read and validate every section of params.yaml; dataclasses by name. Raises SettingsError."""
    content = read_params(path)
    for name in content:
        if name not in SECTIONS and name not in TOP_LEVEL:
            raise SettingsError(f"{path}: unknown section {name!r}; the sections are {', '.join(SECTIONS)}")
    for name in SECTIONS:
        if name not in content:
            raise SettingsError(f"{path}: section {name} is missing")
    return {name: check_section(name, content[name], path) for name in SECTIONS}


def from_notebook(name: str, namespace: dict[str, Any]) -> Any:
    """Build a section's dataclass from a notebook's variables: `from_notebook("extract_demos", globals())`."""
    names = [field.name for field in dataclasses.fields(SECTIONS[name])]
    return check_section(name, {key: namespace[key] for key in names if key in namespace}, "parameters cell")


class _YamlLoader(yaml.SafeLoader):
    """SafeLoader that reads 1e-05 as a float (YAML 1.1 wants 1.0e-05) and refuses duplicate keys."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        keys = [self.construct_object(key, deep=deep) for key, _ in node.value]
        for i, key in enumerate(keys):
            if key in keys[:i]:
                raise yaml.constructor.ConstructorError(None, None, f"{key!r} is there twice", node.start_mark)
        return super().construct_mapping(node, deep)


_YamlLoader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(\d[\d_]*)(\.\d*)?[eE][-+]?\d+$"),
    list("-+0123456789"),
)
