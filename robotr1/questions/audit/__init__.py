"""The shortcut audit: what a policy reaches without the image, or without knowing the step."""
