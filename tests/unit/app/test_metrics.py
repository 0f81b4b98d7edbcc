"""Prometheus text, checked against the format's own rules."""

from dothi.app.metrics import render
from dothi.model.measure import Histogram, Measure, counter, gauge


def test_renders_families_labels_and_histograms() -> None:
    seconds = Histogram((0.1, 1.0))
    for value in (0.05, 0.1, 0.5, 7.0):
        seconds.observe(value)
    text = render(
        [
            counter("dothi_a_total", "A\nnew line.", 3),
            Measure("dothi_seconds", "histogram", "Time.", [({"op": "x"}, seconds)]),
            Measure("dothi_a_total", "counter", "again", [({"source": 'q"\\\n'}, 2.5)]),
            gauge("dothi_g", "G.", float("inf")),
        ]
    )
    assert text.splitlines() == [
        "# HELP dothi_a_total A\\nnew line.",
        "# TYPE dothi_a_total counter",
        "dothi_a_total 3",
        'dothi_a_total{source="q\\"\\\\\\n"} 2.5',
        "# HELP dothi_seconds Time.",
        "# TYPE dothi_seconds histogram",
        'dothi_seconds_bucket{op="x",le="0.1"} 2',
        'dothi_seconds_bucket{op="x",le="1"} 3',
        'dothi_seconds_bucket{op="x",le="+Inf"} 4',
        'dothi_seconds_sum{op="x"} 7.65',
        'dothi_seconds_count{op="x"} 4',
        "# HELP dothi_g G.",
        "# TYPE dothi_g gauge",
        "dothi_g +Inf",
    ]
