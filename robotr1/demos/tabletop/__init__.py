"""The embedded simulator: RLBench's tabletop, robot, cameras and task names in MuJoCo."""
