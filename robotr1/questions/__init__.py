"""Multiple-choice questions: movement words, distractors, prompts, answers, the build and the shortcut audit."""
