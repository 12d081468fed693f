from benchmarks.bank import scaling


def test_the_chart_of_scaling_has_a_curve_for_each_measure():
    curves = {"one": [0.01, 0.1], "two": [1.0, 1.0]}
    (axes,) = scaling.draw([10_000, 100_000], curves).axes
    drawn = {line.get_label(): list(line.get_ydata()) for line in axes.lines}
    assert drawn == curves
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")


def test_a_step_is_timed(monkeypatch):
    # On one replica, as devices cannot be divided in the process of the tests.
    monkeypatch.setattr(scaling, "PIXELS", 32)
    monkeypatch.setattr(scaling, "REPLICA_BATCH_SIZE", 4)
    assert scaling.replica_step_seconds(1, num_videos=9000) > 0
