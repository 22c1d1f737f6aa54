"""Reads an OTLP protobuf request from standard input and prints it as JSON: `decode.py traces|metrics`."""
import sys

from google.protobuf.json_format import MessageToJson
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

request = {"traces": ExportTraceServiceRequest, "metrics": ExportMetricsServiceRequest}[sys.argv[1]]
print(MessageToJson(request.FromString(sys.stdin.buffer.read()), use_integers_for_enums=True))
