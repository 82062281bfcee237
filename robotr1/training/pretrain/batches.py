"""Token batches of synthetic examples for the tiny base: ids, loss weights, positions, attention targets."""

from dataclasses import dataclass

import torch
from transformers import PreTrainedTokenizerFast

from robotr1.policies.tiny import IMAGE_SIZE, LETTER_TOKENS, number_tokens
from robotr1.training.pretrain.image_examples import ImageExample
from robotr1.training.pretrain.scenes import NAMES
from robotr1.training.pretrain.text_examples import LETTER_WEIGHT, TextExample

IMAGE_TOKENS = (IMAGE_SIZE // 28) ** 2
NAME_WEIGHT = 6.0  # of a name in the loss, in the recipe's last stage; other words weigh 1

Example = ImageExample | TextExample


@dataclass(frozen=True)
class Batch:
    """A batch of examples, right-padded to length L.

    `ids` [B,L]; `weights` [B,L] of each token in the loss, 0 for the prompt; `positions` [3,B,L], M-RoPE's time, row
    and column. The other fields are attention targets: token indices, each row starting with the example's number.
    `options` [O,3]: an option's letter and its last word. `queries` [Q,3]: the token before an answer letter, and the
    last word of the option with that letter. `gathers` [G,5]: a token that needs a whole position, and its x, y and z.
    `differences` [D,3]: the token before a difference, and the two numbers it is between.
    """

    ids: torch.Tensor
    weights: torch.Tensor
    positions: torch.Tensor
    options: torch.Tensor
    queries: torch.Tensor
    gathers: torch.Tensor
    differences: torch.Tensor


class Batcher:
    """Turn examples into batches, in the chat format of the processor's template.

    `name_weight` is the loss weight of all names, also of the gripper's: a name with a smaller weight than the others
    would be written less often than it occurs in the examples.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerFast, name_weight: float = 1.0):
        self.tokenizer = tokenizer
        names = {self.encode(f" {name}")[0]: name_weight for name in NAMES}
        self.before = self.encode("<|im_start|>user\n<|vision_start|>")
        self.image = tokenizer.convert_tokens_to_ids("<|image_pad|>")
        self.after = self.encode("<|vision_end|>")
        self.turn = self.encode("<|im_end|>\n<|im_start|>assistant\n")
        self.verb = self.encode(" is")[0]
        self.newline, self.bracket = self.encode("\n")[0], self.encode("]")[0]
        self.numbers = set(tokenizer.convert_tokens_to_ids(list(number_tokens())))
        self.letters = tokenizer.convert_tokens_to_ids(LETTER_TOKENS)
        self.weights = names | dict.fromkeys(self.letters, LETTER_WEIGHT)

    def encode(self, text: str) -> list[int]:
        return self.tokenizer(text, add_special_tokens=False).input_ids

    def sequence(self, example: Example) -> tuple[list[int], list[float]]:
        """Token ids and the loss weight of each."""
        if isinstance(example, TextExample):
            pieces = [(self.encode(text), weight) for text, weight in example.pieces]
            return [token for ids, _ in pieces for token in ids], [weight for ids, weight in pieces for _ in ids]
        image = [self.image] * IMAGE_TOKENS
        given = [*self.before, *image, *self.after, *self.encode(example.prompt), *self.turn]
        answer = [*self.encode(example.completion), self.tokenizer.eos_token_id]
        weights = [self.weights.get(token, 1.0) for token in answer]
        return [*given, *answer], [0.0] * len(given) + weights

    def option_targets(self, ids: list[int], weights: list[float]) -> tuple[list[tuple], list[tuple]]:
        """The rows of `Batch.options` and `Batch.queries`, without the example's number."""
        options, last_words = [], {}
        for index, token in enumerate(ids):
            if token in self.letters and not weights[index]:
                end = ids.index(self.newline, index) if self.newline in ids[index:] else len(ids)
                words = [word for word in range(index + 1, end) if ids[word] != self.bracket]
                if token not in last_words and words:
                    last_words[token] = words[-1]
                    options.append((index, words[-1]))
        queries = [
            (index - 1, last_words[token])
            for index, token in enumerate(ids)
            if token in last_words and weights[index] == LETTER_WEIGHT
        ]
        return options, queries

    def gather_targets(self, ids: list[int], options: list[tuple], queries: list[tuple]) -> list[tuple]:
        """The rows of `Batch.gathers`: the three numbers of a position for every token that needs all of them."""
        numbers = [index for index, token in enumerate(ids) if token in self.numbers]
        matched = {last for _, last in options if ids[last] in self.numbers}
        indices = sorted(matched) + [query for query, last in queries if last in matched]
        found = [(index, *[number for number in numbers if number <= index][-3:]) for index in indices]
        return [row for row in found if len(row) == 4]

    def difference_targets(self, ids: list[int], weights: list[float]) -> list[tuple]:
        """The rows of `Batch.differences`, for "… at [x1, y1, z1] to … at [x2, y2, z2] is [dx, dy, dz]"."""
        numbers, found = [], []
        for index, token in enumerate(ids):
            if token in self.numbers:
                numbers.append(index)
            if token == self.verb and len(numbers) >= 6 and weights[index] and ids[index + 1] in self.numbers:
                found += [(index + axis, numbers[axis - 6], numbers[axis - 3]) for axis in range(3)]
        return found

    def __call__(self, examples: list[Example]) -> Batch:
        sequences = [self.sequence(example) for example in examples]
        length = max(len(ids) for ids, _ in sequences)
        ids = torch.full((len(examples), length), self.tokenizer.pad_token_id)
        weights = torch.zeros(len(examples), length)
        positions = torch.arange(length).expand(3, len(examples), length).clone()
        first, last, side = len(self.before), len(self.before) + IMAGE_TOKENS, IMAGE_SIZE // 28
        cells = torch.arange(IMAGE_TOKENS)
        options, queries, gathers, differences = [], [], [], []
        for row, (tokens, token_weights) in enumerate(sequences):
            ids[row, : len(tokens)] = torch.tensor(tokens)
            weights[row, : len(tokens)] = torch.tensor(token_weights)
            if tokens[first : first + 1] == [self.image]:
                positions[:, row, first:last] = first + torch.stack([cells * 0, cells // side, cells % side])
                positions[:, row, last:] -= IMAGE_TOKENS - side
            row_options, row_queries = self.option_targets(tokens, token_weights)
            options += [(row, *indices) for indices in row_options]
            queries += [(row, *indices) for indices in row_queries]
            gathers += [(row, *indices) for indices in self.gather_targets(tokens, row_options, row_queries)]
            differences += [(row, *indices) for indices in self.difference_targets(tokens, token_weights)]
        return Batch(ids, weights, positions, *map(torch.tensor, (options, queries, gathers, differences)))
