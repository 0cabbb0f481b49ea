package main

import (
	"context"
	"encoding/json"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Before 0.13 rules have no name: a ConfigMap holds the index of each, which is wrong as soon as the route is replaced.

const configMap = "argo-gatewayapi-configmap"

var configMaps = schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}

// indices is the index of the rule of each step, by route.
type indices map[string]map[string]int

func (s *standIn) placeByIndex(namespace, route, step string, rules []any, added any) ([]any, error) {
	known, err := s.indices(namespace)
	if err != nil {
		return nil, err
	}
	if at, found := known[route][step]; found && at < len(rules) && !s.release.repeats {
		rules[at] = added
		return rules, nil
	}
	if known[route] == nil {
		known[route] = map[string]int{}
	}
	known[route][step] = len(rules)
	return append(rules, added), s.keep(namespace, known)
}

func (s *standIn) removeByIndex(namespace, route string, steps []string, rules []any) ([]any, error) {
	known, err := s.indices(namespace)
	if err != nil {
		return nil, err
	}
	removed := false
	for _, step := range steps {
		at, found := known[route][step]
		if !found {
			continue
		}
		delete(known[route], step)
		if removed = true; at < len(rules) {
			rules = slices.Delete(rules, at, at+1)
		}
	}
	if !removed {
		return nil, nil
	}
	return rules, s.keep(namespace, known)
}

func (s *standIn) indices(namespace string) (indices, error) {
	known := indices{}
	found, err := s.client.Resource(configMaps).Namespace(namespace).Get(context.TODO(), configMap, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return known, nil
	}
	if err != nil {
		return nil, err
	}
	text, _, _ := unstructured.NestedString(found.Object, "data", "routes")
	return known, json.Unmarshal([]byte(text), &known)
}

func (s *standIn) keep(namespace string, known indices) error {
	text, err := json.Marshal(known)
	if err != nil {
		return err
	}
	object := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap", "data": map[string]any{"routes": string(text)},
		"metadata": map[string]any{"name": configMap, "namespace": namespace},
	}}
	maps := s.client.Resource(configMaps).Namespace(namespace)
	_, err = maps.Update(context.TODO(), object, metav1.UpdateOptions{})
	if apierrors.IsNotFound(err) {
		_, err = maps.Create(context.TODO(), object, metav1.CreateOptions{})
	}
	return err
}
