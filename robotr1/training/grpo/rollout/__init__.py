"""Sample the completions of a group fast: one prefill per prompt, a fused decoder, TRL's sampling."""
