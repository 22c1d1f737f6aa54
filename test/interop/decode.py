"""Decodes OTLP requests, one a line of standard input: signal, encoding and the body in base64. Prints each as JSON."""
import base64
import json
import sys

from google.protobuf.json_format import MessageToDict, Parse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

REQUESTS = {"traces": ExportTraceServiceRequest, "metrics": ExportMetricsServiceRequest}
IDS = {"traceId", "spanId", "parentSpanId"}


def recode_ids(value, recode):
    """OTLP's JSON writes ids in hex, protobuf's own mapping writes bytes in base64; all else is that mapping."""
    if isinstance(value, list):
        return [recode_ids(item, recode) for item in value]
    if not isinstance(value, dict):
        return value
    return {key: recode(item) if key in IDS else recode_ids(item, recode) for key, item in value.items()}


def to_base64(text):
    return base64.b64encode(bytes.fromhex(text)).decode()


def to_hex(text):
    return base64.b64decode(text).hex()


for line in sys.stdin:
    signal, encoding, body = line.split()
    request = REQUESTS[signal]()
    if encoding == "json":
        # Parse is strict: a field that is unknown or of another type is an error.
        Parse(json.dumps(recode_ids(json.loads(base64.b64decode(body)), to_base64)), request)
    else:
        request.ParseFromString(base64.b64decode(body))
    print(json.dumps(recode_ids(MessageToDict(request, use_integers_for_enums=True), to_hex)))
