"""Tables computed from a study."""

from synthetic_study import results


def test_the_blind_accuracy_is_a_column_of_every_accuracy():
    table = results().accuracy
    blind = table[table["policy"] == "text_only"].set_index(["split", "type"])["accuracy"]
    for row in table.itertuples():
        assert row.blind == blind[row.split, row.type]


def test_closed_loop_has_rows_for_trained_and_held_out_tasks():
    table = results().closed_loop.query("policy == 'oracle'").set_index("task")["episodes"]
    assert table["tasks trained on"] == table["pick_up_cup"] == 4
    assert table["tasks never trained on"] == table["lamp_on"] == 4
    assert table["all"] == 8
