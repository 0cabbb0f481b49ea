// Oracle: what the Rollouts controller's own code says of questions on stdin, one JSON document a line.
//
//	{"op": "rollout", "rollout": {...}}                                   -> {"errors": [...]}
//	{"op": "references", "rollout": {...}, "objects": [...]}              -> {"errors": [...]}
//	{"op": "metrics", "metrics": [...], "args": [...], "dryRun": [...], "measurementRetention": [...]} -> {"errors": [...]}
//	{"op": "condition", "metric": {...}, "type": "vector|scalar|nil|json", "result": ...} -> {"phase": "...", "error": "..."}
//
//	{"op": "runs", "metric": {...}, "runs": [[{"at": 0, "values": ["0.1"]}, ...]], "end": 1200} -> {"runs": [{"phase": "...", "at": 60}]}
//	{"op": "weights", "rollout": {...}, "objects": [...], "weights": [0, 5]} -> {"states": [{"ingress": {...}}, ...]}
//	{"op": "routes", "rollout": {...}, "objects": [...], "calls": ["5", "cohort", "end"]} -> {"states": [{...}, ...]}
//
// Numbers of a vector or a scalar come as strings, because JSON has no NaN. An object that the controller's types
// cannot hold answers {"error": ...}; a panic of the controller answers {"panic": ...}.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/validation"
	analysisutil "github.com/argoproj/argo-rollouts/utils/analysis"
	"github.com/argoproj/argo-rollouts/utils/evaluate"
	"github.com/sirupsen/logrus"
	"k8s.io/utils/ptr"
)

type question struct {
	Op        string                          `json:"op"`
	Rollout   v1alpha1.Rollout                `json:"rollout"`
	Objects   []json.RawMessage               `json:"objects"`
	Metrics   []v1alpha1.Metric               `json:"metrics"`
	Args      []v1alpha1.Argument             `json:"args"`
	DryRun    []v1alpha1.DryRun               `json:"dryRun"`
	Retention []v1alpha1.MeasurementRetention `json:"measurementRetention"`
	Metric    v1alpha1.Metric                 `json:"metric"`
	Type      string                          `json:"type"`
	Result    json.RawMessage                 `json:"result"`
	Runs      [][]sample                      `json:"runs"`
	End       float64                         `json:"end"`
	Weights   []int32                         `json:"weights"`
	Calls     []string                        `json:"calls"`
}

type reply map[string]any

func main() {
	logrus.SetOutput(io.Discard)
	in, out := bufio.NewScanner(os.Stdin), bufio.NewWriter(os.Stdout)
	in.Buffer(make([]byte, 1<<20), 1<<27)
	encode := json.NewEncoder(out)
	for in.Scan() {
		if err := encode.Encode(answer(in.Bytes())); err != nil {
			panic(err)
		}
		out.Flush()
	}
	if err := in.Err(); err != nil {
		panic(err)
	}
}

func answer(line []byte) (r reply) {
	defer func() {
		if p := recover(); p != nil {
			r = reply{"panic": fmt.Sprint(p)}
		}
	}()
	var q question
	if err := json.Unmarshal(line, &q); err != nil {
		return reply{"error": err.Error()}
	}
	switch q.Op {
	case "rollout":
		errors := []string{}
		for _, e := range validation.ValidateRollout(&q.Rollout) {
			errors = append(errors, e.Error())
		}
		return reply{"errors": errors}
	case "references":
		return reply{"errors": references(&q.Rollout, q.Objects)}
	case "metrics":
		return reply{"errors": metrics(q)}
	case "condition":
		phase, err := evaluate.EvaluateResult(result(q), q.Metric, *logrus.WithField("metric", q.Metric.Name))
		if err != nil {
			return reply{"phase": phase, "error": err.Error()}
		}
		return reply{"phase": phase}
	}
	if q.Op == "runs" {
		return reply{"runs": runs(q)}
	}
	if q.Op == "weights" {
		return reply{"states": weights(&q.Rollout, q.Objects, q.Weights)}
	}
	if q.Op == "routes" {
		return reply{"states": routes(&q.Rollout, q.Objects[0], q.Calls)}
	}
	return reply{"error": "unknown op " + q.Op}
}

// metrics does what an AnalysisRun's first reconciliation does before it measures (analysis/analysis.go).
func metrics(q question) []string {
	args := make([]v1alpha1.Argument, 0, len(q.Args))
	for _, a := range q.Args {
		if a.ValueFrom != nil && a.ValueFrom.SecretKeyRef != nil {
			a = v1alpha1.Argument{Name: a.Name, Value: ptr.To("secret")}
		}
		args = append(args, a)
	}
	resolved := make([]v1alpha1.Metric, 0, len(q.Metrics))
	for _, m := range q.Metrics {
		one, err := analysisutil.ResolveMetricArgs(m, args)
		if err != nil {
			return []string{err.Error()}
		}
		resolved = append(resolved, *one)
	}
	if err := analysisutil.ValidateMetrics(resolved); err != nil {
		return []string{err.Error()}
	}
	if _, err := analysisutil.GetDryRunMetrics(q.DryRun, resolved); err != nil {
		return []string{err.Error()}
	}
	if _, err := analysisutil.GetMeasurementRetentionMetrics(q.Retention, resolved); err != nil {
		return []string{err.Error()}
	}
	return []string{}
}

// result has the Go type that a provider hands to the condition: the expression is type-checked against it.
func result(q question) any {
	switch q.Type {
	case "nil": // Datadog without a value
		return (*float64)(nil)
	case "scalar":
		var text string
		must(json.Unmarshal(q.Result, &text))
		return number(text)
	case "vector":
		var texts []string
		must(json.Unmarshal(q.Result, &texts))
		values := []float64{}
		for _, t := range texts {
			values = append(values, number(t))
		}
		return values
	}
	var value any
	must(json.Unmarshal(q.Result, &value))
	return value
}

func number(text string) float64 {
	value, err := strconv.ParseFloat(text, 64)
	must(err)
	return value
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
