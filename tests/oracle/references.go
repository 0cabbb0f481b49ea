package main

import (
	"encoding/json"
	"fmt"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/validation"
	analysisutil "github.com/argoproj/argo-rollouts/utils/analysis"
	ingressutil "github.com/argoproj/argo-rollouts/utils/ingress"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// tree stands for the cluster: kind/name -> object.
type tree map[string]json.RawMessage

// references looks the Rollout's references up in the tree as rollout/controller.go does, and lets the controller judge them.
func references(r *v1alpha1.Rollout, objects []json.RawMessage) []string {
	t := tree{}
	for _, raw := range objects {
		var head struct {
			Kind     string `json:"kind"`
			Metadata struct {
				Name string `json:"name"`
			} `json:"metadata"`
		}
		must(json.Unmarshal(raw, &head))
		t[head.Kind+"/"+head.Metadata.Name] = raw
	}
	for _, check := range []func(*v1alpha1.Rollout) error{
		validation.ValidateRolloutNginxIngressesConfig, validation.ValidateRolloutAlbIngressesConfig, validation.ValidateRolloutVirtualServicesConfig,
	} {
		if err := check(r); err != nil {
			return []string{err.Error()}
		}
	}
	var found validation.ReferencedResources
	missing := t.services(r, &found)
	missing = append(missing, t.analyses(r, &found)...)
	missing = append(missing, t.routers(r, &found)...)
	if len(missing) > 0 {
		return missing
	}
	errors := []string{}
	for _, e := range validation.ValidateRolloutReferencedResources(r, found) {
		errors = append(errors, e.Error())
	}
	return errors
}

func (t tree) get(kind, name string, into any) []string {
	raw, ok := t[kind+"/"+name]
	if !ok {
		return []string{fmt.Sprintf("%s %q not found", kind, name)}
	}
	must(json.Unmarshal(raw, into))
	return nil
}

func (t tree) services(r *v1alpha1.Rollout, found *validation.ReferencedResources) (missing []string) {
	add := func(name string, kind validation.ServiceType) {
		if name == "" {
			return
		}
		var service corev1.Service
		if m := t.get("Service", name, &service); m != nil {
			missing = append(missing, m...)
			return
		}
		found.ServiceWithType = append(found.ServiceWithType, validation.ServiceWithType{Service: &service, Type: kind})
	}
	if b := r.Spec.Strategy.BlueGreen; b != nil {
		add(b.ActiveService, validation.ActiveService)
		add(b.PreviewService, validation.PreviewService)
	} else if c := r.Spec.Strategy.Canary; c != nil {
		add(c.StableService, validation.StableService)
		add(c.CanaryService, validation.CanaryService)
		if c.PingPong != nil {
			add(c.PingPong.PingService, validation.PingService)
			add(c.PingPong.PongService, validation.PongService)
		}
	}
	return missing
}

func (t tree) analyses(r *v1alpha1.Rollout, found *validation.ReferencedResources) (missing []string) {
	add := func(a *v1alpha1.RolloutAnalysis, kind validation.AnalysisTemplateType, step int) {
		if a == nil {
			return
		}
		names, clusterNames, m := t.templates(a.Templates)
		missing = append(missing, m...)
		names, clusterNames = analysisutil.FilterUniqueTemplates(names, clusterNames)
		found.AnalysisTemplatesWithType = append(found.AnalysisTemplatesWithType, validation.AnalysisTemplatesWithType{
			AnalysisTemplates: names, ClusterAnalysisTemplates: clusterNames, TemplateType: kind, CanaryStepIndex: step, Args: a.Args})
	}
	if b := r.Spec.Strategy.BlueGreen; b != nil {
		add(b.PrePromotionAnalysis, validation.PrePromotionAnalysis, 0)
		add(b.PostPromotionAnalysis, validation.PostPromotionAnalysis, 0)
	} else if c := r.Spec.Strategy.Canary; c != nil {
		for i, step := range c.Steps {
			add(step.Analysis, validation.InlineAnalysis, i)
		}
		if c.Analysis != nil {
			add(&c.Analysis.RolloutAnalysis, validation.BackgroundAnalysis, 0)
		}
	}
	return missing
}

func (t tree) templates(refs []v1alpha1.AnalysisTemplateRef) (own []*v1alpha1.AnalysisTemplate, cluster []*v1alpha1.ClusterAnalysisTemplate, missing []string) {
	for _, ref := range refs {
		var nested []v1alpha1.AnalysisTemplateRef
		if ref.IsClusterScope() {
			var template v1alpha1.ClusterAnalysisTemplate
			if m := t.get("ClusterAnalysisTemplate", ref.TemplateName, &template); m != nil {
				missing = append(missing, m...)
				continue
			}
			cluster, nested = append(cluster, &template), template.Spec.Templates
		} else {
			var template v1alpha1.AnalysisTemplate
			if m := t.get("AnalysisTemplate", ref.TemplateName, &template); m != nil {
				missing = append(missing, m...)
				continue
			}
			own, nested = append(own, &template), template.Spec.Templates
		}
		o, c, m := t.templates(nested)
		own, cluster, missing = append(own, o...), append(cluster, c...), append(missing, m...)
	}
	return own, cluster, missing
}

func (t tree) routers(r *v1alpha1.Rollout, found *validation.ReferencedResources) (missing []string) {
	if r.Spec.Strategy.Canary == nil || r.Spec.Strategy.Canary.TrafficRouting == nil {
		return nil
	}
	routing := r.Spec.Strategy.Canary.TrafficRouting
	var ingresses, virtualServices, mappings []string
	if n := routing.Nginx; n != nil {
		ingresses = n.StableIngresses
		if ingresses == nil {
			ingresses = []string{n.StableIngress}
		}
	}
	if a := routing.ALB; a != nil {
		ingresses = a.Ingresses
		if ingresses == nil {
			ingresses = []string{a.Ingress}
		}
	}
	if i := routing.Istio; i != nil {
		for _, v := range i.VirtualServices {
			virtualServices = append(virtualServices, v.Name)
		}
		if i.VirtualService != nil {
			virtualServices = []string{i.VirtualService.Name}
		}
	}
	if a := routing.Ambassador; a != nil {
		mappings = a.Mappings
	}
	for _, name := range ingresses {
		var ingress networkingv1.Ingress
		if m := t.get("Ingress", name, &ingress); m != nil {
			missing = append(missing, m...)
			continue
		}
		found.Ingresses = append(found.Ingresses, *ingressutil.NewIngress(&ingress))
	}
	unknown := func(kind string, names []string) (list []unstructured.Unstructured) {
		for _, name := range names {
			var u unstructured.Unstructured // its own decoder keeps integers, as the API machinery does
			if m := t.get(kind, name, &u); m != nil {
				missing = append(missing, m...)
				continue
			}
			list = append(list, u)
		}
		return list
	}
	found.VirtualServices = unknown("VirtualService", virtualServices)
	found.AmbassadorMappings = unknown("Mapping", mappings)
	return missing
}
