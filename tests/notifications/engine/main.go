// Judges notification configuration with the engine that Argo CD and Argo Rollouts use: JSON lines in, JSON lines out.
//
//	{"config": {ConfigMap data}, "secret": {key: value}, "trigger": NAME, "vars": {...}}
//	{"services": [NAME...], "sent": [Notification...], "error": TEXT}
package main

import (
	"bufio"
	"encoding/json"
	"os"
	"sort"
	"strings"

	"github.com/argoproj/notifications-engine/pkg/api"
	"github.com/argoproj/notifications-engine/pkg/services"
	"github.com/argoproj/notifications-engine/pkg/templates"
	"github.com/argoproj/notifications-engine/pkg/triggers"
	corev1 "k8s.io/api/core/v1"
)

type question struct {
	Config  map[string]string `json:"config"`
	Secret  map[string][]byte `json:"secret"`
	Trigger string            `json:"trigger"`
	Vars    map[string]any    `json:"vars"`
}

// The Rollouts controller takes an empty condition for true, the engine itself for false (utils/record/record.go).
func sends(result triggers.ConditionResult, rollout bool) bool {
	return result.Triggered || (rollout && strings.HasSuffix(result.Key, "."+empty))
}

const empty = "2jmj7l5rSw0yVb_vlWAYkK_YBwk" // the engine's hash of an empty condition

type answer struct {
	Services []string                 `json:"services"`
	Sent     []*services.Notification `json:"sent"`
	Error    string                   `json:"error"`
}

func judge(asked question) (answer, error) {
	found := answer{Services: []string{}, Sent: []*services.Notification{}}
	config, err := api.ParseConfig(&corev1.ConfigMap{Data: asked.Config}, &corev1.Secret{Data: asked.Secret})
	if err != nil {
		return found, err
	}
	for name, make := range config.Services {
		if _, err := make(); err != nil {
			return found, err
		}
		found.Services = append(found.Services, name)
	}
	sort.Strings(found.Services)
	when, err := triggers.NewService(config.Triggers)
	if err != nil {
		return found, err
	}
	texts, err := templates.NewService(config.Templates)
	if err != nil {
		return found, err
	}
	results, err := when.Run(asked.Trigger, asked.Vars)
	if err != nil {
		return found, err
	}
	for _, result := range results {
		if !sends(result, asked.Vars["rollout"] != nil) {
			continue
		}
		sent, err := texts.FormatNotification(asked.Vars, result.Templates...)
		if err != nil {
			return found, err
		}
		found.Sent = append(found.Sent, sent)
	}
	return found, nil
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var asked question
		found := answer{}
		err := json.Unmarshal(lines.Bytes(), &asked)
		if err == nil {
			found, err = judge(asked)
		}
		if err != nil {
			found.Error = err.Error()
		}
		json.NewEncoder(os.Stdout).Encode(found)
	}
}
