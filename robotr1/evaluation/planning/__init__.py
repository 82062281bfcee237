"""Planning questions in RoboGPT-R1's form, for policies that were trained on them."""
