"""Other forms of the questions: open answers, plans, examples for supervised fine-tuning."""
