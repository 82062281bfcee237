"""The closed loop: a policy names the next waypoint, the arm moves there, and so on until the task is done.

Success instead of accuracy. The paper's data end with the next waypoint (Robot-R1, section 3.2); its manipulation
scores (Table 4) count completed tasks, as this benchmark does.
"""
