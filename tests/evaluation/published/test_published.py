"""The paper's tables: there, complete, and true to what can be recomputed from them."""

import pytest

from robotr1.evaluation.published import FOLDER, published_tables, read_published


def test_every_file_is_in_the_index():
    assert {path.stem for path in FOLDER.glob("*.csv")} == {*published_tables(), "index"}


def test_no_number_is_missing():
    for table in published_tables().values():
        assert not table.rows.isna().any(axis=None), table.name
        assert len(table.rows) >= 3


def test_movement_average_is_the_mean_of_in_and_out():
    rows = read_published("low_level").rows
    assert (rows["movement_in"] + rows["movement_out"]).tolist() == pytest.approx(
        (2 * rows["movement_average"]).tolist()
    )


def test_spatial_average_weighs_37_and_28_questions():
    rows = read_published("low_level").rows
    weighted = (37 * rows["spatial_in"] + 28 * rows["spatial_out"]) / 65
    assert weighted.tolist() == pytest.approx(rows["spatial_average"].tolist(), abs=0.0101)


def test_seed_statistics_can_be_recomputed():
    rows = read_published("seeds").rows.set_index("model")
    seeds = rows.loc[["seed 1", "seed 2", "seed 3"]]
    assert seeds.mean().tolist() == pytest.approx(rows.loc["mean of seeds"].tolist(), abs=0.0051)
    assert seeds.std().tolist() == pytest.approx(rows.loc["standard deviation"].tolist(), abs=0.0051)


def test_unknown_name_lists_the_known_ones():
    with pytest.raises(KeyError, match="low_level"):
        read_published("table_99")
