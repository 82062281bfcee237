from robotr1.demos.tabletop.tasks import TASKS, load_task
from robotr1.questions.forms.scripts import action_list, fits_script, plan_steps, script
from robotr1.records import Keyframes

CUP = ("move above the cup", "grasp the cup", "lift the cup")


def test_scripts_have_a_step_for_each_waypoint():
    assert script("pick_up_cup") == CUP
    assert script("unheard_of_task") == ()
    for task in TASKS:
        for variation in range(load_task(task).variations):
            assert script(task, variation) and all(step.strip() == step != "" for step in script(task, variation))


def test_actions_are_shared_and_listed_once():
    everything = action_list(frozenset(TASKS))
    assert len(set(everything)) == len(everything)
    for task in TASKS:
        for variation in range(load_task(task).variations):
            assert set(script(task, variation)) <= set(everything)
    assert action_list(frozenset({"pick_up_cup", "unheard_of_task"})) == CUP


def test_a_script_fits_an_episode_with_as_many_keyframes():
    assert fits_script(Keyframes("pick_up_cup", 0, 0, "", 9, [3, 5, 8]))
    assert not fits_script(Keyframes("pick_up_cup", 0, 0, "", 9, [8]))
    assert not fits_script(Keyframes("unheard_of_task", 0, 0, "", 9, []))


def test_plans():
    assert plan_steps("pick_up_cup", 3)[0] == "move above the cup"
    assert plan_steps("pick_up_cup", 4)[0] == "move to the cup"
    for count in (1, 2, 5):
        assert len(set(plan_steps("open_drawer", count))) == count
