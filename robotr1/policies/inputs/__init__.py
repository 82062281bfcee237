"""What a policy is given: prompts as chat text, images, and their cached features."""
