"""Entries in the form of SpatialRGPT-Bench's published file."""


def published(category, reference, **changes):
    return {
        "id": category,
        "image_info": {"file_path": "a.jpg", "width": 640, "height": 480},
        "text_q": "Is Region [0] behind Region [1]?",
        "qa_info": {"type": "qualitative", "category": category},
        "conversations": [
            {"from": "human", "value": "<image>\nIs <mask> behind <mask>?"},
            {"from": "gpt", "value": reference},
        ],
        "bbox": [[0, 30, 668, 767], [6, 292, 233, 432]],
        "rle": [{"size": [480, 640], "counts": "abc"}],
    } | changes
