"""Parses a page of metrics on standard input with prometheus_client: `parse_page.py openmetrics|text`."""
import json
import sys

from prometheus_client import parser
from prometheus_client.openmetrics import parser as openmetrics_parser

parse = (openmetrics_parser if sys.argv[1] == "openmetrics" else parser).text_string_to_metric_families


def exemplar(sample):
    return sample.exemplar and {"labels": sample.exemplar.labels, "value": sample.exemplar.value}


print(
    json.dumps(
        [
            {
                "name": family.name,
                "type": family.type,
                "help": family.documentation,
                "unit": family.unit,
                "samples": [
                    {"name": s.name, "labels": s.labels, "value": repr(float(s.value)), "exemplar": exemplar(s)}
                    for s in family.samples
                ],
            }
            for family in parse(sys.stdin.buffer.read().decode())
        ]
    )
)
