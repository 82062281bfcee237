"""Open questions in the form of Robot-R1 Bench: planning, next step, movement, spatial."""
