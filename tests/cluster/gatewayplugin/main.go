// A STAND-IN for the official Gateway API plugin of Argo Rollouts, which the Go module registry does not hold.
//
// It answers the controller's traffic-router protocol under the official id, and does what plugin 0.15.0 was seen to do
// when its own functions were called against an API client: the same routes, labels, requests and errors. GATEWAYPLUGIN
// chooses an older behaviour: 0.9, 0.12 or 0.13. What the official plugin ignores (mirrors), this one ignores, too.
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

const pluginID = "argoproj-labs/gatewayAPI"

var services = schema.GroupVersionResource{Version: "v1", Resource: "services"}

// kind is one kind of route; only the rules of HTTP and GRPC routes have matches.
type kind struct {
	resource schema.GroupVersionResource
	missing  string
	headers  bool
}

var (
	httpKind = kind{gateway("v1", "httproutes"), "backendRef was not found in httpRoute", true}
	grpcKind = kind{gateway("v1", "grpcroutes"), "backendRef was not found in grpcRoute", true}
	tcpKind  = kind{gateway("v1alpha2", "tcproutes"), "backendRef list was not found in tcpRoute", false}
	tlsKind  = kind{gateway("v1alpha2", "tlsroutes"), "backendRef list was not found in tlsRoute", false}
)

func gateway(version, resource string) schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: "gateway.networking.k8s.io", Version: version, Resource: resource}
}

type listed struct {
	Name            string `json:"name"`
	UseHeaderRoutes bool   `json:"useHeaderRoutes"`
}

type selector = *metav1.LabelSelector

// settings is the configuration in the Rollout; keys that it does not know are ignored.
type settings struct {
	Namespace string `json:"namespace"`

	HTTPRoute string `json:"httpRoute"`
	GRPCRoute string `json:"grpcRoute"`
	TCPRoute  string `json:"tcpRoute"`
	TLSRoute  string `json:"tlsRoute"`

	HTTPRoutes []listed `json:"httpRoutes"`
	GRPCRoutes []listed `json:"grpcRoutes"`
	TCPRoutes  []listed `json:"tcpRoutes"`
	TLSRoutes  []listed `json:"tlsRoutes"`

	HTTPRouteSelector selector `json:"httpRouteSelector"`
	GRPCRouteSelector selector `json:"grpcRouteSelector"`
	TCPRouteSelector  selector `json:"tcpRouteSelector"`
	TLSRouteSelector  selector `json:"tlsRouteSelector"`

	DisableInProgressLabel bool   `json:"disableInProgressLabel"`
	InProgressLabelKey     string `json:"inProgressLabelKey"`
	InProgressLabelValue   string `json:"inProgressLabelValue"`
}

// target is one route that the configuration names or finds.
type target struct {
	kind kind
	listed
}

type standIn struct {
	client  dynamic.Interface
	release release
}

func (s *standIn) InitPlugin() types.RpcError {
	// The controller hands on its environment; without KUBECONFIG this is the configuration inside a cluster.
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	if err != nil {
		return answer(err)
	}
	s.client, err = dynamic.NewForConfig(config)
	return answer(err)
}

func (s *standIn) SetWeight(ro *v1alpha1.Rollout, weight int32, destinations []v1alpha1.WeightDestination) types.RpcError {
	given, targets, err := s.read(ro)
	if err == nil && len(targets) == 0 {
		err = errors.New("No routes configured. At least one of 'httpRoutes', 'grpcRoutes', 'tcpRoutes' or 'tlsRoutes', " +
			"or 'httpRoute', 'grpcRoute', 'tcpRoute' or 'tlsRoute' must be set")
	}
	for _, one := range targets {
		if err != nil {
			break // what is written stays written
		}
		err = s.update(given.Namespace, one, func(route *unstructured.Unstructured, rules []any) ([]any, error) {
			found := setWeights(ro, s.release, one.kind, rules, int64(weight))
			if !found {
				return nil, errors.New(one.kind.missing)
			}
			if one.kind == httpKind {
				rules = experiment(ro, rules, destinations, s.port)
			}
			given.mark(route, weight != 0)
			return rules, nil
		})
	}
	return answer(err)
}

// VerifyWeight says yes, whatever the route says.
func (s *standIn) VerifyWeight(*v1alpha1.Rollout, int32, []v1alpha1.WeightDestination) (types.RpcVerified, types.RpcError) {
	return types.Verified, types.RpcError{}
}

func (s *standIn) SetHeaderRoute(ro *v1alpha1.Rollout, step *v1alpha1.SetHeaderRoute) types.RpcError {
	if len(step.Match) == 0 {
		if s.release.named {
			return s.RemoveManagedRoutes(ro)
		}
		return answer(s.remove(ro, []string{step.Name}))
	}
	return answer(s.withHeaders(ro, func(given settings, one target) error {
		return s.update(given.Namespace, one, func(route *unstructured.Unstructured, rules []any) ([]any, error) {
			added, err := headerRules(ro, s.release, step, rules)
			if err != nil {
				return nil, err
			}
			if len(added) == 0 {
				return nil, errors.New(one.kind.missing)
			}
			if s.release.named {
				return place(ro, s.release, step, rules, added), nil
			}
			return s.placeByIndex(given.Namespace, route.GetName(), step.Name, rules, added[0])
		})
	}))
}

// SetMirrorRoute does nothing, and says that it succeeded.
func (s *standIn) SetMirrorRoute(*v1alpha1.Rollout, *v1alpha1.SetMirrorRoute) types.RpcError {
	return types.RpcError{}
}

func (s *standIn) RemoveManagedRoutes(ro *v1alpha1.Rollout) types.RpcError {
	names := []string{}
	for _, managed := range ro.Spec.Strategy.Canary.TrafficRouting.ManagedRoutes {
		names = append(names, managed.Name)
	}
	return answer(s.remove(ro, names))
}

func (s *standIn) remove(ro *v1alpha1.Rollout, names []string) error {
	return s.withHeaders(ro, func(given settings, one target) error {
		return s.update(given.Namespace, one, func(route *unstructured.Unstructured, rules []any) ([]any, error) {
			if !s.release.named {
				return s.removeByIndex(given.Namespace, route.GetName(), names, rules)
			}
			kept := []any{}
			for _, rule := range rules {
				if !managed(ro, rule) {
					kept = append(kept, rule)
				}
			}
			if len(kept) == len(rules) {
				return nil, nil // nothing is written
			}
			return kept, nil
		})
	})
}

func (s *standIn) UpdateHash(*v1alpha1.Rollout, string, string, []v1alpha1.WeightDestination) types.RpcError {
	return types.RpcError{}
}

func (s *standIn) Type() string { return "GatewayAPI" }

// read returns the configuration of a Rollout, parsed anew for each call, and the routes that it names or finds.
func (s *standIn) read(ro *v1alpha1.Rollout) (settings, []target, error) {
	given := settings{InProgressLabelKey: progressKey, InProgressLabelValue: progressValue}
	if err := json.Unmarshal(ro.Spec.Strategy.Canary.TrafficRouting.Plugins[pluginID], &given); err != nil {
		return given, nil, err
	}
	if given.Namespace == "" {
		given.Namespace = ro.Namespace
	}
	targets := []target{}
	for _, part := range []struct {
		kind   kind
		single string
		list   []listed
		by     selector
	}{
		{httpKind, given.HTTPRoute, given.HTTPRoutes, given.HTTPRouteSelector},
		{grpcKind, given.GRPCRoute, given.GRPCRoutes, given.GRPCRouteSelector},
		{tcpKind, given.TCPRoute, given.TCPRoutes, given.TCPRouteSelector},
		{tlsKind, given.TLSRoute, given.TLSRoutes, given.TLSRouteSelector},
	} {
		if part.single != "" {
			targets = append(targets, target{part.kind, listed{part.single, true}})
		}
		for _, one := range part.list {
			targets = append(targets, target{part.kind, one})
		}
		found, err := s.selected(given.Namespace, part.kind, part.by)
		if err != nil {
			return given, nil, err
		}
		targets = append(targets, found...)
	}
	return given, targets, nil
}

func (s *standIn) selected(namespace string, kind kind, by selector) ([]target, error) {
	if by == nil {
		return nil, nil
	}
	options := metav1.ListOptions{LabelSelector: metav1.FormatLabelSelector(by)}
	found, err := s.client.Resource(kind.resource).Namespace(namespace).List(context.TODO(), options)
	if err != nil {
		return nil, err
	}
	targets := []target{}
	for _, item := range found.Items {
		targets = append(targets, target{kind, listed{Name: item.GetName()}})
	}
	return targets, nil
}

// withHeaders works on the routes that may get header rules; others are passed over in silence.
func (s *standIn) withHeaders(ro *v1alpha1.Rollout, work func(settings, target) error) error {
	given, targets, err := s.read(ro)
	for _, one := range targets {
		if err == nil && one.kind.headers && one.UseHeaderRoutes {
			err = work(given, one)
		}
	}
	return err
}

// update reads a route, lets work change it, and writes it, again when somebody else wrote it meanwhile.
//
// Rules of nil mean that there is nothing to write.
func (s *standIn) update(namespace string, one target, work func(*unstructured.Unstructured, []any) ([]any, error)) error {
	routes := s.client.Resource(one.kind.resource).Namespace(namespace)
	return retry.RetryOnConflict(retry.DefaultRetry, func() error {
		route, err := routes.Get(context.TODO(), one.Name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		rules, _, err := unstructured.NestedSlice(route.Object, "spec", "rules")
		if err != nil {
			return err
		}
		if rules, err = work(route, rules); err != nil || rules == nil {
			return err
		}
		if err = unstructured.SetNestedSlice(route.Object, rules, "spec", "rules"); err != nil {
			return err
		}
		_, err = routes.Update(context.TODO(), route, metav1.UpdateOptions{FieldManager: "gatewayapi"})
		return err
	})
}

// port returns the port of a Service that is named `http`, else its first one, else 8080.
func (s *standIn) port(namespace, name string) (int64, error) {
	found, err := s.client.Resource(services).Namespace(namespace).Get(context.TODO(), name, metav1.GetOptions{})
	if err != nil {
		return 0, err
	}
	ports, _, _ := unstructured.NestedSlice(found.Object, "spec", "ports")
	chosen := int64(8080)
	for i, item := range ports {
		port := item.(map[string]any)
		if number, _ := port["port"].(int64); i == 0 || port["name"] == "http" {
			chosen = number
			if port["name"] == "http" {
				break
			}
		}
	}
	return chosen, nil
}

func answer(err error) types.RpcError {
	if err == nil {
		return types.RpcError{}
	}
	return types.RpcError{ErrorString: err.Error()}
}

func main() {
	chosen, known := releases[os.Getenv("GATEWAYPLUGIN")]
	if !known {
		fmt.Fprintln(os.Stderr, "GATEWAYPLUGIN is none of 0.9, 0.12, 0.13, 0.15")
		os.Exit(2)
	}
	goplugin.Serve(&goplugin.ServeConfig{
		HandshakeConfig: goplugin.HandshakeConfig{
			ProtocolVersion: 1, MagicCookieKey: "ARGO_ROLLOUTS_RPC_PLUGIN", MagicCookieValue: "trafficrouter",
		},
		Plugins: goplugin.PluginSet{"RpcTrafficRouterPlugin": &rpc.RpcTrafficRouterPlugin{Impl: &standIn{release: chosen}}},
	})
}
