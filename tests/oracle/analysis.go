package main

import (
	"context"
	"fmt"
	"reflect"
	"sort"
	"time"
	"unsafe"

	"github.com/argoproj/argo-rollouts/analysis"
	"github.com/argoproj/argo-rollouts/metric"
	"github.com/argoproj/argo-rollouts/metricproviders/prometheus"
	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	"github.com/argoproj/argo-rollouts/utils/record"
	timeutil "github.com/argoproj/argo-rollouts/utils/time"
	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
	log "github.com/sirupsen/logrus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The controller has no exported name for one reconciliation of an AnalysisRun.
//
//go:linkname reconcile github.com/argoproj/argo-rollouts/analysis.(*Controller).reconcileAnalysisRun
func reconcile(c *analysis.Controller, run *v1alpha1.AnalysisRun) *v1alpha1.AnalysisRun

// sample is what Prometheus answers from a time on.
type sample struct {
	At     float64  `json:"at"`
	Values []string `json:"values"`
}

// series answers every query with the samples of one release.
type series struct {
	v1.API
	now     *time.Time
	samples []sample
}

func (s series) Query(_ context.Context, _ string, _ time.Time, _ ...v1.Option) (model.Value, v1.Warnings, error) {
	elapsed := s.now.Sub(time.Unix(0, 0)).Seconds()
	index := sort.Search(len(s.samples), func(i int) bool { return s.samples[i].At > elapsed })
	found := model.Vector{}
	if index > 0 {
		for _, text := range s.samples[index-1].Values {
			found = append(found, &model.Sample{Value: model.SampleValue(number(text))})
		}
	}
	return found, nil, nil
}

// runs plays releases: the phase in which the run of one metric ends, and when; Running where the release ends first.
func runs(q question) []reply {
	found := []reply{}
	for _, samples := range q.Runs {
		phase, at := play(q.Metric, samples, q.End)
		found = append(found, reply{"phase": phase, "at": at})
	}
	return found
}

func play(m v1alpha1.Metric, samples []sample, end float64) (v1alpha1.AnalysisPhase, float64) {
	now := time.Unix(0, 0)
	timeutil.SetNowTimeFunc(func() time.Time { return now })
	var wait time.Duration
	c := &analysis.Controller{}
	set(c, "recorder", record.EventRecorder(record.NewFakeEventRecorder()))
	set(c, "enqueueAnalysisAfter", func(_ any, after time.Duration) { wait = after })
	set(c, "newProvider", func(entry log.Entry, _ string, one v1alpha1.Metric) (metric.Provider, error) {
		return prometheus.NewPrometheusProvider(series{now: &now, samples: samples}, entry, one)
	})
	run := &v1alpha1.AnalysisRun{
		ObjectMeta: metav1.ObjectMeta{Name: "run", Namespace: "shop"},
		Spec:       v1alpha1.AnalysisRunSpec{Metrics: []v1alpha1.Metric{m}},
	}
	for {
		wait = -1
		at := now.Sub(time.Unix(0, 0)).Seconds()
		run = reconcile(c, run)
		if run.Status.Phase.Completed() {
			return run.Status.Phase, at
		}
		if wait < 0 {
			panic(fmt.Sprintf("the run waits for nothing in phase %s", run.Status.Phase))
		}
		// A measurement is due after its time, not at it.
		now = now.Add(wait + time.Millisecond)
		if now.Sub(time.Unix(0, 0)).Seconds() > end+1 {
			return run.Status.Phase, at
		}
	}
}

func set(c *analysis.Controller, name string, value any) {
	field := reflect.ValueOf(c).Elem().FieldByName(name)
	reflect.NewAt(field.Type(), unsafe.Pointer(field.UnsafeAddr())).Elem().Set(reflect.ValueOf(value))
}
