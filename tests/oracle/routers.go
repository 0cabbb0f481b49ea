package main

import (
	"context"
	"encoding/json"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	"github.com/argoproj/argo-rollouts/rollout/trafficrouting/alb"
	"github.com/argoproj/argo-rollouts/rollout/trafficrouting/nginx"
	ingressutil "github.com/argoproj/argo-rollouts/utils/ingress"
	"github.com/argoproj/argo-rollouts/utils/record"
	jsonpatch "github.com/evanphx/json-patch/v5"
	networkingv1 "k8s.io/api/networking/v1"
	k8serrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

// cluster stands for the API server: Ingresses by name.
type cluster map[string]*networkingv1.Ingress

func (c cluster) GetCached(_, name string) (*ingressutil.Ingress, error) {
	if i, ok := c[name]; ok {
		return ingressutil.NewIngress(i), nil
	}
	return nil, k8serrors.NewNotFound(schema.GroupResource{Resource: "ingresses"}, name)
}

func (c cluster) Get(_ context.Context, namespace, name string, _ metav1.GetOptions) (*ingressutil.Ingress, error) {
	return c.GetCached(namespace, name)
}

func (c cluster) Create(_ context.Context, _ string, i *ingressutil.Ingress, _ metav1.CreateOptions) (*ingressutil.Ingress, error) {
	created, err := i.GetNetworkingIngress()
	must(err)
	c[created.Name] = created
	return i, nil
}

func (c cluster) Patch(_ context.Context, _, name string, _ types.PatchType, patch []byte, _ metav1.PatchOptions, _ ...string) (*ingressutil.Ingress, error) {
	before, err := json.Marshal(c[name])
	must(err)
	after, err := jsonpatch.MergePatch(before, patch)
	must(err)
	changed := &networkingv1.Ingress{}
	must(json.Unmarshal(after, changed))
	c[name] = changed
	return ingressutil.NewIngress(changed), nil
}

type silent struct{ record.EventRecorder }

func (silent) Eventf(runtime.Object, record.EventOptions, string, ...any) {}

// weights lets the controller set some weights one after the other: the Ingresses after each of them.
func weights(r *v1alpha1.Rollout, objects []json.RawMessage, wanted []int32) []cluster {
	now := cluster{}
	for _, raw := range objects {
		ingress := &networkingv1.Ingress{}
		must(json.Unmarshal(raw, ingress))
		now[ingress.Name] = ingress
	}
	states := []cluster{}
	for _, weight := range wanted {
		must(router(r, now).SetWeight(weight))
		state := cluster{}
		for name, ingress := range now {
			state[name] = ingress.DeepCopy()
		}
		states = append(states, state)
	}
	return states
}

func router(r *v1alpha1.Rollout, ingresses cluster) interface {
	SetWeight(int32, ...v1alpha1.WeightDestination) error
} {
	kind := v1alpha1.SchemeGroupVersion.WithKind("Rollout")
	if r.Spec.Strategy.Canary.TrafficRouting.Nginx != nil {
		return nginx.NewReconciler(nginx.ReconcilerConfig{Rollout: r, Recorder: silent{}, ControllerKind: kind, IngressWrapper: ingresses})
	}
	reconciler, err := alb.NewReconciler(alb.ReconcilerConfig{Rollout: r, Recorder: silent{}, ControllerKind: kind, IngressWrapper: ingresses})
	must(err)
	return reconciler
}
