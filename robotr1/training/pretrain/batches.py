"""Lessons as token batches for the tiny base: ids, loss weights, positions, and where reading should look."""

from dataclasses import dataclass

import torch
from transformers import PreTrainedTokenizerFast

from robotr1.policies.tiny import IMAGE_SIZE, LETTER_TOKENS, number_tokens
from robotr1.training.pretrain.examples import LETTER_WEIGHT, NAMES, Drill, Lesson

IMAGE_TOKENS = (IMAGE_SIZE // 28) ** 2


@dataclass(frozen=True)
class Batch:
    """A batch of lessons, right-padded to length L.

    `ids` [B,L]; `weights` [B,L] of each token in the loss, 0 for what is given; `positions` [3,B,L], M-RoPE's time, row
    and column. Where reading should look, each row beginning with the lesson's number: `options` [O,3], the places of
    an option's letter and of its last word; `queries` [Q,3], the place just before an answer letter and the last word
    of the option that it names; `gathers` [G,5], such a place, and those of the x, y and z that it brings together;
    `differences` [D,3], the place just before a difference, and those of the two numbers that it is between.
    """

    ids: torch.Tensor
    weights: torch.Tensor
    positions: torch.Tensor
    options: torch.Tensor
    queries: torch.Tensor
    gathers: torch.Tensor
    differences: torch.Tensor


class Batcher:
    """Turns lessons and drills into batches, in the chat form that the processor's template writes.

    `name_weight` is what names weigh in the loss, the gripper's among them: one that weighed less than the others would
    be spoken of less often than it occurs.
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

    def sequence(self, lesson: Lesson | Drill) -> tuple[list[int], list[float]]:
        """Token ids and the loss weight of each."""
        if isinstance(lesson, Drill):
            pieces = [(self.encode(text), weight) for text, weight in lesson.pieces]
            return [token for ids, _ in pieces for token in ids], [weight for ids, weight in pieces for _ in ids]
        image = [self.image] * IMAGE_TOKENS
        given = [*self.before, *image, *self.after, *self.encode(lesson.prompt), *self.turn]
        answer = [*self.encode(lesson.completion), self.tokenizer.eos_token_id]
        weights = [self.weights.get(token, 1.0) for token in answer]
        return [*given, *answer], [0.0] * len(given) + weights

    def reading(self, ids: list[int], weights: list[float]) -> tuple[list[tuple], list[tuple]]:
        """Where the options stand, and where an answer letter should look: see `Batch`."""
        options, last_words = [], {}
        for place, token in enumerate(ids):
            if token in self.letters and not weights[place]:
                end = ids.index(self.newline, place) if self.newline in ids[place:] else len(ids)
                words = [word for word in range(place + 1, end) if ids[word] != self.bracket]
                if token not in last_words and words:
                    last_words[token] = words[-1]
                    options.append((place, words[-1]))
        queries = [
            (place - 1, last_words[token])
            for place, token in enumerate(ids)
            if token in last_words and weights[place] == LETTER_WEIGHT
        ]
        return options, queries

    def gathering(self, ids: list[int], options: list[tuple], queries: list[tuple]) -> list[tuple]:
        """Where the three numbers of a position stand, for every place that has to know a whole position."""
        numbers = [place for place, token in enumerate(ids) if token in self.numbers]
        matched = {last for _, last in options if ids[last] in self.numbers}
        places = sorted(matched) + [query for query, last in queries if last in matched]
        found = [(place, *[number for number in numbers if number <= place][-3:]) for place in places]
        return [row for row in found if len(row) == 4]

    def subtracting(self, ids: list[int], weights: list[float]) -> list[tuple]:
        """Where the numbers of "… at [x1, y1, z1] to … at [x2, y2, z2] is" stand, for each difference to be written."""
        numbers, found = [], []
        for place, token in enumerate(ids):
            if token in self.numbers:
                numbers.append(place)
            if token == self.verb and len(numbers) >= 6 and weights[place] and ids[place + 1] in self.numbers:
                found += [(place + axis, numbers[axis - 6], numbers[axis - 3]) for axis in range(3)]
        return found

    def __call__(self, lessons: list[Lesson | Drill]) -> Batch:
        sequences = [self.sequence(lesson) for lesson in lessons]
        length = max(len(ids) for ids, _ in sequences)
        ids = torch.full((len(lessons), length), self.tokenizer.pad_token_id)
        weights = torch.zeros(len(lessons), length)
        positions = torch.arange(length).expand(3, len(lessons), length).clone()
        first, last, side = len(self.before), len(self.before) + IMAGE_TOKENS, IMAGE_SIZE // 28
        cells = torch.arange(IMAGE_TOKENS)
        options, queries, gathers, differences = [], [], [], []
        for row, (tokens, token_weights) in enumerate(sequences):
            ids[row, : len(tokens)] = torch.tensor(tokens)
            weights[row, : len(tokens)] = torch.tensor(token_weights)
            if tokens[first : first + 1] == [self.image]:
                positions[:, row, first:last] = first + torch.stack([cells * 0, cells // side, cells % side])
                positions[:, row, last:] -= IMAGE_TOKENS - side
            row_options, row_queries = self.reading(tokens, token_weights)
            options += [(row, *places) for places in row_options]
            queries += [(row, *places) for places in row_queries]
            gathers += [(row, *places) for places in self.gathering(tokens, row_options, row_queries)]
            differences += [(row, *places) for places in self.subtracting(tokens, token_weights)]
        return Batch(ids, weights, positions, *map(torch.tensor, (options, queries, gathers, differences)))
