"""The EB-Manipulation protocol on the tabletop (Robot-R1, Table 4): whole tasks, by plans of discrete actions.

As in EmbodiedBench, a policy sees the scene and generates a plan. The plan is executed until the task is done. Where it
ends earlier, the policy plans again and gets the history of its actions, at most 15 actions in all. Only full success
counts, and an empty plan ends the episode. Two rules differ: an unreadable reply costs a step and moves nothing
(EmbodiedBench executes a random action), and an action moves in a straight line (EmbodiedBench uses a planner).

The scenes are this project's, not EmbodiedBench's recorded episodes: scores do not belong into its table.
"""
