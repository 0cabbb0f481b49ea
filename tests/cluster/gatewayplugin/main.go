// A STAND-IN for the official Gateway API plugin of Argo Rollouts, which the Go module registry does not hold.
//
// It answers the controller's traffic-router protocol under the official id and reads the same configuration, writes
// the two weights of every rule that names both Services, and keeps the label that the official plugin documents while
// a canary runs. What it can't do (header routes) it refuses. Results about weights are results about this stand-in.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	goplugin "github.com/hashicorp/go-plugin"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/util/retry"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	"github.com/argoproj/argo-rollouts/rollout/trafficrouting/plugin/rpc"
	"github.com/argoproj/argo-rollouts/utils/plugin/types"
)

const (
	pluginID      = "argoproj-labs/gatewayAPI"
	progressLabel = "rollouts.argoproj.io/gatewayapi-canary"
	whole         = 100
)

var httpRoutes = schema.GroupVersionResource{Group: "gateway.networking.k8s.io", Version: "v1", Resource: "httproutes"}

type settings struct {
	Namespace string `json:"namespace"`
	Route     string `json:"httpRoute"`
	Routes    []struct {
		Name string `json:"name"`
	} `json:"httpRoutes"`
}

type standIn struct{ client dynamic.Interface }

func (s *standIn) InitPlugin() types.RpcError {
	// The controller hands on its environment; without KUBECONFIG this is the configuration inside a cluster.
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	if err != nil {
		return answer(err)
	}
	s.client, err = dynamic.NewForConfig(config)
	return answer(err)
}

func (s *standIn) SetWeight(ro *v1alpha1.Rollout, weight int32, _ []v1alpha1.WeightDestination) types.RpcError {
	return answer(s.eachRoute(ro, func(route *unstructured.Unstructured, routes dynamic.ResourceInterface) error {
		err := eachPair(ro, route, func(stable, canary map[string]any) {
			stable["weight"], canary["weight"] = int64(whole-weight), int64(weight)
		})
		if err != nil {
			return err
		}
		mark(route, weight > 0)
		_, err = routes.Update(context.TODO(), route, metav1.UpdateOptions{FieldManager: "gatewayplugin-standin"})
		return err
	}))
}

func (s *standIn) VerifyWeight(ro *v1alpha1.Rollout, weight int32, _ []v1alpha1.WeightDestination) (types.RpcVerified, types.RpcError) {
	same := true
	err := s.eachRoute(ro, func(route *unstructured.Unstructured, _ dynamic.ResourceInterface) error {
		return eachPair(ro, route, func(stable, canary map[string]any) {
			same = same && stable["weight"] == int64(whole-weight) && canary["weight"] == int64(weight)
		})
	})
	if err != nil || !same {
		return types.NotVerified, answer(err)
	}
	return types.Verified, types.RpcError{}
}

func (s *standIn) SetHeaderRoute(*v1alpha1.Rollout, *v1alpha1.SetHeaderRoute) types.RpcError {
	return answer(errors.New("the stand-in has no header routes"))
}

// The official plugin ignores mirrors, too.
func (s *standIn) SetMirrorRoute(*v1alpha1.Rollout, *v1alpha1.SetMirrorRoute) types.RpcError {
	return types.RpcError{}
}

func (s *standIn) RemoveManagedRoutes(*v1alpha1.Rollout) types.RpcError { return types.RpcError{} }

func (s *standIn) UpdateHash(*v1alpha1.Rollout, string, string, []v1alpha1.WeightDestination) types.RpcError {
	return types.RpcError{}
}

func (s *standIn) Type() string { return "GatewayAPIStandIn" }

// eachRoute reads every configured route and works on it, again when somebody else wrote it meanwhile.
func (s *standIn) eachRoute(ro *v1alpha1.Rollout, work func(*unstructured.Unstructured, dynamic.ResourceInterface) error) error {
	var given settings
	if err := json.Unmarshal(ro.Spec.Strategy.Canary.TrafficRouting.Plugins[pluginID], &given); err != nil {
		return err
	}
	if given.Namespace == "" {
		given.Namespace = ro.Namespace
	}
	names := []string{}
	if given.Route != "" {
		names = append(names, given.Route)
	}
	for _, route := range given.Routes {
		names = append(names, route.Name)
	}
	routes := s.client.Resource(httpRoutes).Namespace(given.Namespace)
	for _, name := range names {
		err := retry.RetryOnConflict(retry.DefaultRetry, func() error {
			route, err := routes.Get(context.TODO(), name, metav1.GetOptions{})
			if err != nil {
				return err
			}
			return work(route, routes)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// eachPair works on the two backends of every rule that names both Services; a route without such a rule is an error.
func eachPair(ro *v1alpha1.Rollout, route *unstructured.Unstructured, work func(stable, canary map[string]any)) error {
	canary := ro.Spec.Strategy.Canary
	rules, _, err := unstructured.NestedSlice(route.Object, "spec", "rules")
	if err != nil {
		return err
	}
	found := false
	for _, rule := range rules {
		backends := map[string]map[string]any{}
		list, _ := rule.(map[string]any)["backendRefs"].([]any)
		for _, item := range list {
			backend := item.(map[string]any)
			backends[fmt.Sprint(backend["name"])] = backend
		}
		if backends[canary.StableService] != nil && backends[canary.CanaryService] != nil {
			work(backends[canary.StableService], backends[canary.CanaryService])
			found = true
		}
	}
	if !found {
		return fmt.Errorf("HTTPRoute %s: no rule names both %s and %s", route.GetName(), canary.StableService, canary.CanaryService)
	}
	return unstructured.SetNestedSlice(route.Object, rules, "spec", "rules")
}

func mark(route *unstructured.Unstructured, running bool) {
	labels := route.GetLabels()
	if labels == nil {
		labels = map[string]string{}
	}
	delete(labels, progressLabel)
	if running {
		labels[progressLabel] = "in-progress"
	}
	route.SetLabels(labels)
}

func answer(err error) types.RpcError {
	if err == nil {
		return types.RpcError{}
	}
	return types.RpcError{ErrorString: err.Error()}
}

func main() {
	goplugin.Serve(&goplugin.ServeConfig{
		HandshakeConfig: goplugin.HandshakeConfig{
			ProtocolVersion: 1, MagicCookieKey: "ARGO_ROLLOUTS_RPC_PLUGIN", MagicCookieValue: "trafficrouter",
		},
		Plugins: goplugin.PluginSet{"RpcTrafficRouterPlugin": &rpc.RpcTrafficRouterPlugin{Impl: &standIn{}}},
	})
}
