{{- define "edgespan.name" -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "edgespan.labels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- /* What services and deployments know pods by: a list of the context and the component. */ -}}
{{- define "edgespan.selector" -}}
{{- $context := index . 0 -}}
app.kubernetes.io/name: {{ $context.Chart.Name }}
app.kubernetes.io/instance: {{ $context.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{- /* A volume for data that outlives a pod only where persistence is wanted. */ -}}
{{- define "edgespan.data" -}}
{{- $context := index . 0 -}}
{{- $component := index . 1 -}}
{{- $persistence := (index $context.Values $component).persistence -}}
- name: data
{{- if $persistence.enabled }}
  persistentVolumeClaim:
    claimName: {{ include "edgespan.name" $context }}-{{ $component }}
{{- else }}
  emptyDir: {}
{{- end }}
{{- end -}}

{{- define "edgespan.secret" -}}
{{- default (printf "%s-grafana" (include "edgespan.name" .)) .Values.grafana.existingSecret -}}
{{- end -}}
