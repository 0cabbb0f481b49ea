package main

import (
	"context"
	"encoding/json"
	"strconv"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	"github.com/argoproj/argo-rollouts/rollout/trafficrouting/istio"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
)

// service stands for the API server: one VirtualService.
type service struct {
	dynamic.NamespaceableResourceInterface
	now *unstructured.Unstructured
}

func (s *service) Resource(schema.GroupVersionResource) dynamic.NamespaceableResourceInterface {
	return s
}

func (s *service) Namespace(string) dynamic.ResourceInterface { return s }

func (s *service) Get(context.Context, string, metav1.GetOptions, ...string) (*unstructured.Unstructured, error) {
	return s.now.DeepCopy(), nil
}

func (s *service) Update(_ context.Context, changed *unstructured.Unstructured, _ metav1.UpdateOptions, _ ...string) (*unstructured.Unstructured, error) {
	s.now = changed.DeepCopy()
	return changed, nil
}

// routes lets the controller do some things one after the other: set a weight, set the Rollout's first header route
// ("cohort"), remove its managed routes ("end"). It returns the VirtualService after each of them.
func routes(r *v1alpha1.Rollout, object json.RawMessage, calls []string) []any {
	server := &service{now: &unstructured.Unstructured{}}
	must(json.Unmarshal(object, &server.now.Object))
	reconciler := istio.NewReconciler(r, server, silent{}, nil, nil, nil)
	states := []any{}
	for _, call := range calls {
		switch call {
		case "cohort":
			must(reconciler.SetHeaderRoute(header(r)))
		case "end":
			must(reconciler.RemoveManagedRoutes())
		default:
			weight, err := strconv.ParseInt(call, 10, 32)
			must(err)
			must(reconciler.SetWeight(int32(weight)))
		}
		states = append(states, server.now.DeepCopy().Object)
	}
	return states
}

func header(r *v1alpha1.Rollout) *v1alpha1.SetHeaderRoute {
	for _, step := range r.Spec.Strategy.Canary.Steps {
		if step.SetHeaderRoute != nil {
			return step.SetHeaderRoute
		}
	}
	panic("no step sets a header route")
}
