"""The committed items of both benchmarks in free text, and the frames that they are about."""

from pathlib import Path

FOLDER = Path(__file__).parent
OPEN_QUESTIONS, SPATIALRGPT, FRAMES, IMAGES = "open_questions.jsonl", "spatialrgpt.json", "frames.jsonl", "images"
