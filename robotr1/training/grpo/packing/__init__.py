"""Score completions in one packed row: each prompt once, followed by its completions."""
