"""Multiple-choice questions: types, distractors, prompts, parsers, the build and the shortcut audit."""
