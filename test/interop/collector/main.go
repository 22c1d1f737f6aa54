package main

import (
	_ "github.com/open-telemetry/opentelemetry-collector-contrib/exporter/fileexporter"
	_ "github.com/open-telemetry/opentelemetry-collector-contrib/exporter/prometheusexporter"
	_ "github.com/open-telemetry/opentelemetry-collector-contrib/extension/bearertokenauthextension"
	_ "github.com/open-telemetry/opentelemetry-collector-contrib/processor/deltatocumulativeprocessor"
	_ "go.opentelemetry.io/collector/confmap/provider/yamlprovider"
	_ "go.opentelemetry.io/collector/otelcol"
	_ "go.opentelemetry.io/collector/receiver/otlpreceiver"
)

func main() {}
