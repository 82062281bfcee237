"""What a question set holds, as numbers and as a data set card."""
