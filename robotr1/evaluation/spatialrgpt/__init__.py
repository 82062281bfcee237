"""Questions in SpatialRGPT-Bench's form about lengths and relations of marked regions."""
