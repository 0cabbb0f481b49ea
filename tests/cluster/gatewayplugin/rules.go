package main

import (
	"errors"
	"fmt"
	"log"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
)

const (
	progressKey   = "rollouts.argoproj.io/gatewayapi-canary"
	progressValue = "in-progress"
	whole         = 100
)

// release is what differs between the versions of the plugin.
type release struct {
	named       bool // since 0.13: rules have names, and weights leave them alone; before, a ConfigMap holds indices
	everyRule   bool // since 0.15: one header rule for each rule of the route, appended; before, the first, in place
	keepsSource bool // since 0.11: a header rule keeps the headers and the method of its source
	repeats     bool // before 0.12: a repeated call adds another rule
}

var (
	newest   = release{named: true, everyRule: true, keepsSource: true}
	releases = map[string]release{
		"": newest, "0.15": newest,
		"0.13": {named: true, keepsSource: true},
		"0.12": {keepsSource: true},
		"0.9":  {repeats: true},
	}
	number = regexp.MustCompile(`^[0-9]+$`)
)

func backends(rule any) []any {
	list, _ := rule.(map[string]any)["backendRefs"].([]any)
	return list
}

func named(rule any, service string) map[string]any {
	for _, item := range backends(rule) {
		if backend := item.(map[string]any); backend["name"] == service { // neither kind nor namespace are compared
			return backend
		}
	}
	return nil
}

// onlyCanary tells whether a rule has one backend, the canary Service: such a rule counts as the plugin's own.
func onlyCanary(ro *v1alpha1.Rollout, rule any) bool {
	return len(backends(rule)) == 1 && named(rule, ro.Spec.Strategy.Canary.CanaryService) != nil
}

// hasName tells whether a rule is called like a managed route, or like it with a number.
func hasName(rule any, managedRoute string) bool {
	name, _ := rule.(map[string]any)["name"].(string)
	suffix, longer := strings.CutPrefix(name, managedRoute+"-")
	return name == managedRoute || longer && number.MatchString(suffix)
}

func managed(ro *v1alpha1.Rollout, rule any) bool {
	byName := slices.ContainsFunc(ro.Spec.Strategy.Canary.TrafficRouting.ManagedRoutes,
		func(route v1alpha1.MangedRoutes) bool { return hasName(rule, route.Name) })
	return byName || onlyCanary(ro, rule)
}

// setWeights writes the weights into every rule that is not managed; false unless both Services are somewhere.
func setWeights(ro *v1alpha1.Rollout, version release, of kind, rules []any, weight int64) bool {
	canary := ro.Spec.Strategy.Canary
	seen := map[string]bool{}
	for _, rule := range rules {
		if of.headers && version.named && managed(ro, rule) {
			continue
		}
		for _, item := range backends(rule) {
			backend := item.(map[string]any)
			switch backend["name"] {
			case canary.CanaryService:
				backend["weight"] = weight
			case canary.StableService:
				backend["weight"] = whole - weight
			default:
				continue
			}
			seen[backend["name"].(string)] = true
		}
	}
	return seen[canary.CanaryService] && seen[canary.StableService]
}

// headerRules returns the rules of a header step: one for each rule that names both Services, or for the first of them.
func headerRules(ro *v1alpha1.Rollout, version release, step *v1alpha1.SetHeaderRoute, rules []any) ([]any, error) {
	headers := []any{}
	for _, match := range step.Match {
		header, err := header(match)
		if err != nil {
			return nil, err
		}
		headers = append(headers, header)
	}
	added := []any{}
	for _, item := range rules {
		source := item.(map[string]any)
		canary := named(source, ro.Spec.Strategy.Canary.CanaryService)
		if canary == nil || named(source, ro.Spec.Strategy.Canary.StableService) == nil {
			continue
		}
		// Time limits, retries and the weight are not copied.
		backend := map[string]any{"group": "", "kind": "Service", "name": canary["name"], "port": canary["port"]}
		rule := map[string]any{"matches": matches(version, source, headers), "backendRefs": []any{backend}}
		if filters, found := source["filters"]; found {
			rule["filters"] = runtime.DeepCopyJSONValue(filters)
		}
		if version.named {
			rule["name"] = step.Name
			if len(added) > 0 {
				rule["name"] = fmt.Sprintf("%s-%d", step.Name, len(added))
			}
		}
		if added = append(added, rule); !version.everyRule {
			break
		}
	}
	return added, nil
}

// matches returns the matches of the source, each with the headers of the step in addition to its own.
func matches(version release, source map[string]any, headers []any) []any {
	given, _ := source["matches"].([]any)
	if len(given) == 0 {
		given = []any{map[string]any{}}
	}
	found := []any{}
	for _, item := range given {
		match := map[string]any{}
		for _, key := range []string{"path", "queryParams", "method", "headers"} {
			value, has := item.(map[string]any)[key]
			if has && (version.keepsSource || key == "path" || key == "queryParams") {
				match[key] = runtime.DeepCopyJSONValue(value)
			}
		}
		own, _ := match["headers"].([]any)
		match["headers"] = append(own, runtime.DeepCopyJSONValue(headers).([]any)...)
		found = append(found, match)
	}
	return found
}

func header(match v1alpha1.HeaderRoutingMatch) (map[string]any, error) {
	value := match.HeaderValue
	found := map[string]any{"name": match.HeaderName, "type": "RegularExpression"}
	switch {
	case value == nil:
		return nil, errors.New("invalid header match type")
	case value.Exact != "":
		found["type"], found["value"] = "Exact", value.Exact
	case value.Prefix != "":
		found["value"] = value.Prefix + ".*" // not quoted: `int.` becomes `int..*`
	case value.Regex != "":
		found["value"] = value.Regex
	default:
		return nil, errors.New("invalid header match type")
	}
	return found, nil
}

// place puts the rules of a step in the place of those that belong to it: at the end, or where the first one was.
func place(ro *v1alpha1.Rollout, version release, step *v1alpha1.SetHeaderRoute, rules, added []any) []any {
	at := slices.IndexFunc(rules, func(rule any) bool { return belongs(ro, step, rule) })
	kept := slices.DeleteFunc(slices.Clone(rules), func(rule any) bool { return belongs(ro, step, rule) })
	if version.everyRule || at < 0 {
		return append(kept, added...)
	}
	return slices.Insert(kept, at, added...)
}

// belongs tells whether a rule is one of a step: by its name, or by its structure as before there were names.
func belongs(ro *v1alpha1.Rollout, step *v1alpha1.SetHeaderRoute, rule any) bool {
	if hasName(rule, step.Name) {
		return true
	}
	if !onlyCanary(ro, rule) {
		return false
	}
	given, _ := rule.(map[string]any)["matches"].([]any)
	return slices.ContainsFunc(given, func(match any) bool {
		for _, wanted := range step.Match {
			own, _ := match.(map[string]any)["headers"].([]any)
			if !slices.ContainsFunc(own, func(one any) bool { return one.(map[string]any)["name"] == wanted.HeaderName }) {
				return false
			}
		}
		return true
	})
}

// experiment writes the destinations of an experiment into the first rule with one of the two Services, or removes them.
//
// The canary keeps its weight, so that the sum is above 100; a destination that is there keeps its old weight; errors are
// logged. After the experiment the rule is set to 100 and 0, whatever the weight of the call.
func experiment(
	ro *v1alpha1.Rollout, rules []any, destinations []v1alpha1.WeightDestination, port func(string, string) (int64, error),
) []any {
	stable, canary := ro.Spec.Strategy.Canary.StableService, ro.Spec.Strategy.Canary.CanaryService
	at := slices.IndexFunc(rules, func(rule any) bool { return named(rule, stable) != nil || named(rule, canary) != nil })
	if at < 0 {
		return rules
	}
	rule := rules[at].(map[string]any)
	if ro.Status.Canary.CurrentExperiment == "" {
		endExperiment(ro, rule)
		return rules
	}
	if len(destinations) == 0 {
		return rules
	}
	sum := int64(0)
	for _, one := range destinations {
		sum += int64(one.Weight)
		if named(rule, one.ServiceName) != nil {
			continue
		}
		number, err := port(ro.Namespace, one.ServiceName)
		if err != nil {
			log.Printf("Service %s: %s", one.ServiceName, err)
			continue
		}
		rule["backendRefs"] = append(backends(rule), map[string]any{
			"name": one.ServiceName, "namespace": ro.Namespace, "port": number, "weight": int64(one.Weight),
		})
	}
	if backend := named(rule, stable); backend != nil {
		backend["weight"] = whole - min(whole, sum)
	}
	return rules
}

func endExperiment(ro *v1alpha1.Rollout, rule map[string]any) {
	if ro.Status.Canary.Weights == nil {
		return
	}
	before := backends(rule)
	kept := slices.DeleteFunc(slices.Clone(before), func(item any) bool {
		return slices.ContainsFunc(ro.Status.Canary.Weights.Additional, func(one v1alpha1.WeightDestination) bool {
			return item.(map[string]any)["name"] == one.ServiceName
		})
	})
	if len(kept) == len(before) {
		return
	}
	rule["backendRefs"] = kept
	weights := map[string]int64{ro.Spec.Strategy.Canary.StableService: whole, ro.Spec.Strategy.Canary.CanaryService: 0}
	for service, weight := range weights {
		if backend := named(rule, service); backend != nil {
			backend["weight"] = weight
		}
	}
}

// mark sets or removes the label of a route whose canary has a weight.
func (given settings) mark(route *unstructured.Unstructured, running bool) {
	if given.DisableInProgressLabel {
		return
	}
	labels := route.GetLabels()
	if labels == nil {
		labels = map[string]string{}
	}
	delete(labels, given.InProgressLabelKey)
	if running {
		labels[given.InProgressLabelKey] = given.InProgressLabelValue
	}
	route.SetLabels(labels)
}
