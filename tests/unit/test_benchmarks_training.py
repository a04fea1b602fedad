"""The measurement of training runs whole on a tiny model; what it says of speed is nobody's business here."""

import pytest
import tiny_models  # noqa: F401  (sets torch up)

from benchmarks import training


def test_the_measurement_of_training_runs(capsys: pytest.CaptureFixture[str]) -> None:
    found = training.measure(large=False, steps=4)
    assert found["ratio"] > 0 and found["plain"]["micro_batch"] == 8
    assert 0.5 < found["ours"]["packing_efficiency"] <= 1
    assert found["full"]["packing_efficiency"] == 1
    assert "mfu" not in found["full"] and "peak_memory_bytes" not in found["full"], "there is no GPU"
    assert sum(found["full"]["where_time_goes"].values()) <= 1
    training.show(found)
    told = capsys.readouterr().out
    assert "say nothing of a GPU" in told and "MFU not measured" in told


def test_rows_are_as_long_as_real_ones() -> None:
    setting = training.setting_of(True, 4, training.LENGTHS.parent)
    lengths = sorted(len(row) for row in training.real_rows(setting)["input_ids"])
    assert len(lengths) == training.ROWS and lengths[-1] <= 4096
    assert 250 < lengths[len(lengths) // 2] < 350, "as in row_lengths.json, and the template"
