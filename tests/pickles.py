"""Change what an episode's pickle holds."""

from robotr1.demos.unpickle import load_pickle
from robotr1.demos.write import Demo, Observation, dump_pickle


def edit_pickle(folder, change):
    """Rewrite low_dim_obs.pkl after `change` has edited its list of observations."""
    path = folder / "low_dim_obs.pkl"
    demo = load_pickle(path)
    observations = []
    for recorded in demo._observations:
        observation = Observation()
        observation.__dict__.update(recorded.__dict__)
        observations.append(observation)
    rewritten = Demo()
    rewritten._observations = observations
    rewritten.random_seed = None
    path.write_bytes(dump_pickle(change(observations) or rewritten))
