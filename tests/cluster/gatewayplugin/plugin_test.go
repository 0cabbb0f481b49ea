package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic/fake"
	kubetesting "k8s.io/client-go/testing"
	"sigs.k8s.io/yaml"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	"github.com/argoproj/argo-rollouts/utils/plugin/types"
)

const both = `[{name: s, port: 80, weight: 100}, {name: c, port: 80, weight: 0}]`

// bed is a plugin with a client that knows one HTTPRoute, `r`.
type bed struct {
	*testing.T
	*standIn
	client *fake.FakeDynamicClient
}

func newBed(t *testing.T, version, rules string, more ...runtime.Object) *bed {
	t.Helper()
	lists := map[schema.GroupVersionResource]string{
		httpKind.resource: "HTTPRouteList", grpcKind.resource: "GRPCRouteList", tcpKind.resource: "TCPRouteList",
		tlsKind.resource: "TLSRouteList", services: "ServiceList", configMaps: "ConfigMapList",
	}
	objects := append(more, object(t, "gateway.networking.k8s.io/v1", "HTTPRoute", "r", `{rules: `+rules+`}`))
	client := fake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), lists, objects...)
	return &bed{t, &standIn{client, releases[version]}, client}
}

func object(t *testing.T, version, kind, name, spec string) *unstructured.Unstructured {
	t.Helper()
	found := &unstructured.Unstructured{Object: map[string]any{"apiVersion": version, "kind": kind, "spec": parsed(t, spec)}}
	found.SetName(name)
	found.SetNamespace("n")
	found.SetLabels(map[string]string{"app": "a"})
	return found
}

func parsed(t *testing.T, text string) any {
	t.Helper()
	bytes, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	list := &unstructured.Unstructured{}
	if err := list.UnmarshalJSON([]byte(`{"apiVersion": "a", "kind": "b", "c": ` + string(bytes) + `}`)); err != nil {
		t.Fatal(err)
	}
	return list.Object["c"]
}

func rollout(t *testing.T, configuration string, managed ...string) *v1alpha1.Rollout {
	t.Helper()
	bytes, err := yaml.YAMLToJSON([]byte(configuration))
	if err != nil {
		t.Fatal(err)
	}
	routing := &v1alpha1.RolloutTrafficRouting{Plugins: map[string]json.RawMessage{pluginID: bytes}}
	for _, name := range managed {
		routing.ManagedRoutes = append(routing.ManagedRoutes, v1alpha1.MangedRoutes{Name: name})
	}
	ro := &v1alpha1.Rollout{ObjectMeta: metav1.ObjectMeta{Name: "m", Namespace: "n"}}
	ro.Spec.Strategy.Canary = &v1alpha1.CanaryStrategy{StableService: "s", CanaryService: "c", TrafficRouting: routing}
	return ro
}

func step(name string, headers ...string) *v1alpha1.SetHeaderRoute {
	found := &v1alpha1.SetHeaderRoute{Name: name}
	for _, one := range headers {
		header, value, _ := strings.Cut(one, "=")
		match := v1alpha1.HeaderRoutingMatch{HeaderName: header, HeaderValue: &v1alpha1.StringMatch{Exact: value}}
		found.Match = append(found.Match, match)
	}
	return found
}

func (b *bed) ok(found types.RpcError) {
	b.Helper()
	if found.HasError() {
		b.Fatal(found.ErrorString)
	}
}

func (b *bed) fails(found types.RpcError, text string) {
	b.Helper()
	if !strings.Contains(found.ErrorString, text) || text == "" {
		b.Fatalf("%q instead of %q", found.ErrorString, text)
	}
}

func (b *bed) route() *unstructured.Unstructured {
	b.Helper()
	found, err := b.client.Resource(httpKind.resource).Namespace("n").Get(context.TODO(), "r", metav1.GetOptions{})
	if err != nil {
		b.Fatal(err)
	}
	return found
}

func (b *bed) rules() []any {
	rules, _, _ := unstructured.NestedSlice(b.route().Object, "spec", "rules")
	return rules
}

// told is each rule as `name: service=weight …`.
func (b *bed) told() []string {
	told := []string{}
	for _, rule := range b.rules() {
		name, _ := rule.(map[string]any)["name"].(string)
		parts := []string{}
		for _, item := range backends(rule) {
			backend := item.(map[string]any)
			weight := "-"
			if backend["weight"] != nil {
				weight = fmt.Sprint(backend["weight"])
			}
			parts = append(parts, fmt.Sprintf("%s=%s", backend["name"], weight))
		}
		told = append(told, name+": "+strings.Join(parts, " "))
	}
	return told
}

func (b *bed) expect(wanted ...string) {
	b.Helper()
	if told := b.told(); !reflect.DeepEqual(told, wanted) {
		b.Fatalf("%q instead of %q", told, wanted)
	}
}

func (b *bed) verbs() string {
	found := []string{}
	for _, action := range b.client.Actions() {
		found = append(found, action.GetVerb())
	}
	b.client.ClearActions()
	return strings.Join(found, " ")
}

const single = `{httpRoute: r}`

func TestWeights(t *testing.T) {
	rules := `[{backendRefs: ` + both + `}, {backendRefs: [{name: s}]}, {backendRefs: [{name: c}]},` +
		` {name: cohort-7, backendRefs: ` + both + `}, {backendRefs: [{name: other, weight: 3}, {name: c}]}]`
	b := newBed(t, "", rules)
	b.ok(b.SetWeight(rollout(t, single, "cohort"), 30, nil))
	b.expect(": s=70 c=30", ": s=70", ": c=-", "cohort-7: s=100 c=0", ": other=3 c=30")
	b.verbs()
	b.ok(b.SetWeight(rollout(t, single, "cohort"), 30, nil))
	if verbs := b.verbs(); verbs != "get update" {
		t.Fatalf("%s: it writes every time, changed or not", verbs)
	}
	verified, found := b.VerifyWeight(rollout(t, single), 99, nil)
	b.ok(found)
	if verified != types.Verified {
		t.Fatal("it verifies everything")
	}
}

func TestLabel(t *testing.T) {
	b := newBed(t, "", `[{backendRefs: `+both+`}]`)
	for _, one := range []struct {
		configuration string
		weight        int32
		wanted        map[string]string
	}{
		{single, 0, map[string]string{"app": "a"}},
		{single, 5, map[string]string{"app": "a", progressKey: progressValue}},
		{single, 0, map[string]string{"app": "a"}},
		{`{httpRoute: r, disableInProgressLabel: true}`, 5, map[string]string{"app": "a"}},
		{`{httpRoute: r, inProgressLabelKey: k, inProgressLabelValue: v}`, 5, map[string]string{"app": "a", "k": "v"}},
	} {
		b.ok(b.SetWeight(rollout(t, one.configuration), one.weight, nil))
		if labels := b.route().GetLabels(); !reflect.DeepEqual(labels, one.wanted) {
			t.Fatalf("%v instead of %v", labels, one.wanted)
		}
	}
	b.ok(b.SetHeaderRoute(rollout(t, single, "cohort"), step("cohort", "x=y")))
	if b.route().GetLabels()["k"] != "v" {
		t.Fatal("header routes leave the label alone")
	}
}

func TestErrors(t *testing.T) {
	b := newBed(t, "", `[{backendRefs: [{name: s}]}, {backendRefs: [{name: c}]}]`)
	b.fails(b.SetWeight(rollout(t, `{}`), 5, nil), "No routes configured")
	b.fails(b.SetWeight(rollout(t, single), 5, nil), "backendRef was not found in httpRoute")
	b.expect(": s=-", ": c=-")
	b.fails(b.SetHeaderRoute(rollout(t, single, "cohort"), step("cohort", "x=y")), "backendRef was not found in httpRoute")
	b.fails(b.SetHeaderRoute(rollout(t, single, "cohort"), step("cohort", "x=")), "invalid header match type")
	b.fails(b.RemoveManagedRoutes(rollout(t, `{httpRoute: missing}`)), `"missing" not found`)
	b.fails(b.SetWeight(rollout(t, `{httpRoutes: [{name: ""}]}`), 5, nil), "not found")
	ro := rollout(t, single)
	ro.Spec.Strategy.Canary.TrafficRouting.Plugins = nil
	b.fails(b.SetWeight(ro, 5, nil), "unexpected end of JSON input")
	b.ok(b.SetHeaderRoute(rollout(t, `{}`), step("cohort", "x=y")))
	b.ok(b.SetMirrorRoute(ro, &v1alpha1.SetMirrorRoute{}))
	b.ok(b.UpdateHash(ro, "a", "b", nil))
}

func TestConflictsAreTriedFiveTimes(t *testing.T) {
	b := newBed(t, "", `[{backendRefs: `+both+`}]`)
	conflict := apierrors.NewConflict(httpKind.resource.GroupResource(), "r", errors.New("changed"))
	b.client.PrependReactor("update", "httproutes", func(kubetesting.Action) (bool, runtime.Object, error) {
		return true, nil, conflict
	})
	b.fails(b.SetWeight(rollout(t, single), 5, nil), "changed")
	if verbs := strings.Count(b.verbs(), "update"); verbs != 5 {
		t.Fatalf("%d attempts", verbs)
	}
}

func TestHeaderRules(t *testing.T) {
	rules := `[{matches: [{path: {type: Exact, value: /a}, method: POST, headers: [{type: Exact, name: own, value: "1"}]},` +
		` {path: {type: Exact, value: /b}}], filters: [{type: RequestMirror}], timeouts: {request: 5s}, backendRefs: ` + both + `},` +
		` {backendRefs: [{name: s, port: 80}]}, {backendRefs: [{name: c, port: 81}, {name: s, port: 80}]}]`
	b := newBed(t, "", rules)
	ro := rollout(t, single, "cohort")
	for range 2 { // a repeated call changes nothing
		b.ok(b.SetHeaderRoute(ro, step("cohort", "x=y", "z=w")))
	}
	b.expect(": s=100 c=0", ": s=-", ": c=- s=-", "cohort: c=-", "cohort-1: c=-")
	headers := `{type: Exact, name: x, value: "y"}, {type: Exact, name: z, value: w}`
	wanted := parsed(t, `
- name: cohort
  matches:
  - {path: {type: Exact, value: /a}, method: POST, headers: [{type: Exact, name: own, value: "1"}, `+headers+`]}
  - {path: {type: Exact, value: /b}, headers: [`+headers+`]}
  filters: [{type: RequestMirror}]
  backendRefs: [{group: "", kind: Service, name: c, port: 80}]
- {name: cohort-1, matches: [{headers: [`+headers+`]}], backendRefs: [{group: "", kind: Service, name: c, port: 81}]}`)
	if found := b.rules()[3:]; !reflect.DeepEqual(any(found), wanted) {
		t.Fatalf("%v instead of %v", found, wanted)
	}
	b.ok(b.SetWeight(ro, 5, nil))
	b.expect(": s=95 c=5", ": s=95", ": c=5 s=95", "cohort: c=-", "cohort-1: c=-")
	b.ok(b.SetHeaderRoute(ro, step("cohort")))
	b.expect(": s=95 c=5", ": s=95", ": c=5 s=95")
	b.verbs()
	b.ok(b.RemoveManagedRoutes(ro))
	if verbs := b.verbs(); verbs != "get" {
		t.Fatalf("%s: there was nothing to remove", verbs)
	}
}

func TestPatternsAreNotQuoted(t *testing.T) {
	b := newBed(t, "", `[{backendRefs: `+both+`}]`)
	given := step("cohort", "x=a", "y=b")
	given.Match[0].HeaderValue = &v1alpha1.StringMatch{Prefix: "int."}
	given.Match[1].HeaderValue = &v1alpha1.StringMatch{Regex: "a|b"}
	b.ok(b.SetHeaderRoute(rollout(t, single, "cohort"), given))
	wanted := parsed(t, `[{headers: [{type: RegularExpression, name: x, value: int..*}, {type: RegularExpression, name: "y", value: a|b}]}]`)
	if found := b.rules()[1].(map[string]any)["matches"]; !reflect.DeepEqual(found, wanted) {
		t.Fatalf("%v instead of %v", found, wanted)
	}
}

func TestRulesAreRecognizedByStructureToo(t *testing.T) {
	of := func(name, header string) string {
		return `{name: ` + name + `, matches: [{headers: [{name: ` + header + `, value: old}]}], backendRefs: [{name: c}]}`
	}
	b := newBed(t, "", `[{backendRefs: `+both+`}, `+of("other", "x")+`, `+of("third", "w")+`]`)
	b.ok(b.SetHeaderRoute(rollout(t, single, "cohort"), step("cohort", "x=y")))
	b.expect(": s=100 c=0", "third: c=-", "cohort: c=-") // another step with the same header is replaced
	b.ok(b.SetHeaderRoute(rollout(t, single, "cohort", "cohort-2"), step("cohort-2", "v=y")))
	b.ok(b.SetHeaderRoute(rollout(t, single, "cohort", "cohort-2"), step("cohort", "x=y")))
	b.expect(": s=100 c=0", "third: c=-", "cohort: c=-") // a name with a number belongs to the name without
	b.ok(b.RemoveManagedRoutes(rollout(t, single, "cohort")))
	b.expect(": s=100 c=0") // a static rule to the canary alone goes, too
}

func TestOnlyRoutesWithTheFlagGetHeaders(t *testing.T) {
	for configuration, count := range map[string]int{
		`{httpRoutes: [{name: r}]}`:                           1,
		`{httpRoutes: [{name: r, useHeaderRoutes: true}]}`:    2,
		`{httpRoute: r}`:                                      2,
		`{httpRouteSelector: {matchLabels: {app: a}}}`:        1,
		`{httpRoute: r, namespace: "n", configMap: whatever}`: 2,
	} {
		b := newBed(t, "", `[{backendRefs: `+both+`}]`)
		b.ok(b.SetHeaderRoute(rollout(t, configuration, "cohort"), step("cohort", "x=y")))
		b.ok(b.SetWeight(rollout(t, configuration, "cohort"), 5, nil))
		if told := b.told(); len(told) != count || told[0] != ": s=95 c=5" {
			t.Fatalf("%s: %v", configuration, told)
		}
	}
	b := newBed(t, "", `[{backendRefs: `+both+`}]`)
	b.fails(b.SetWeight(rollout(t, `{httpRouteSelector: {matchLabels: {app: b}}}`), 5, nil), "No routes configured")
}

func TestOtherKinds(t *testing.T) {
	grpc := object(t, "gateway.networking.k8s.io/v1", "GRPCRoute", "g", `{rules: [{backendRefs: `+both+`}]}`)
	tcp := object(t, "gateway.networking.k8s.io/v1alpha2", "TCPRoute", "t", `{rules: [{backendRefs: [{name: c}]}, {backendRefs: [{name: s}]}]}`)
	b := newBed(t, "", `[{backendRefs: `+both+`}]`, grpc, tcp)
	ro := rollout(t, `{httpRoute: r, grpcRoute: g, tcpRoute: t, tlsRoute: missing}`, "cohort")
	b.fails(b.SetWeight(ro, 5, nil), `"missing" not found`)
	b.expect(": s=95 c=5") // what is written stays written
	b.ok(b.SetHeaderRoute(ro, step("cohort", "x=y")))
	for resource, wanted := range map[schema.GroupVersionResource]string{grpcKind.resource: "cohort", tcpKind.resource: ""} {
		list, _ := b.client.Resource(resource).Namespace("n").List(context.TODO(), metav1.ListOptions{})
		rules, _, _ := unstructured.NestedSlice(list.Items[0].Object, "spec", "rules")
		name, _ := rules[1].(map[string]any)["name"].(string)
		if weight := backends(rules[0])[0].(map[string]any)["weight"]; name != wanted || weight == nil {
			t.Fatalf("%s: %v", resource.Resource, rules)
		}
	}
}

func TestExperiments(t *testing.T) {
	one := object(t, "v1", "Service", "e1", `{ports: [{port: 7}, {name: http, port: 81}]}`)
	b := newBed(t, "", `[{backendRefs: `+both+`}, {backendRefs: `+both+`}]`, one)
	ro := rollout(t, single)
	ro.Status.Canary.CurrentExperiment = "e"
	b.ok(b.SetWeight(ro, 10, []v1alpha1.WeightDestination{{ServiceName: "e1", Weight: 10}, {ServiceName: "gone", Weight: 10}}))
	b.expect(": s=80 c=10 e1=10", ": s=90 c=10") // the canary keeps its weight, a missing Service its share
	b.ok(b.SetWeight(ro, 10, []v1alpha1.WeightDestination{{ServiceName: "e1", Weight: 30}}))
	b.expect(": s=70 c=10 e1=10", ": s=90 c=10") // a destination keeps its old weight
	ro.Status.Canary.CurrentExperiment = ""
	ro.Status.Canary.Weights = &v1alpha1.TrafficWeights{Additional: []v1alpha1.WeightDestination{{ServiceName: "e1"}}}
	b.ok(b.SetWeight(ro, 10, nil))
	b.expect(": s=100 c=0", ": s=90 c=10")
	b.ok(b.SetWeight(ro, 10, nil))
	b.expect(": s=90 c=10", ": s=90 c=10")
}

func TestVersions(t *testing.T) {
	for version, wanted := range map[string][]string{
		"0.9":  {": s=95 c=5", ": s=95 c=5", ": c=5", ": c=5"}, // a repeated call adds another
		"0.12": {": s=95 c=5", ": s=95 c=5", ": c=5"},
		"0.13": {": s=95 c=5", ": s=95 c=5", "cohort: c=-"},
		"0.15": {": s=95 c=5", ": s=95 c=5", "cohort: c=-", "cohort-1: c=-"},
	} {
		b := newBed(t, version, `[{backendRefs: `+both+`}, {backendRefs: `+both+`}]`)
		ro := rollout(t, single, "cohort")
		for range 2 {
			b.ok(b.SetHeaderRoute(ro, step("cohort", "x=y")))
		}
		b.ok(b.SetWeight(ro, 5, nil))
		b.expect(wanted...)
		b.ok(b.SetHeaderRoute(ro, step("cohort")))
		if left := len(b.told()); left != 2 && version != "0.9" || left != 3 && version == "0.9" {
			t.Fatalf("%s: %v", version, b.told())
		}
	}
}
