// Answers of resource.ParseQuantity: a JSON string a line in, [text, number or null] a line out.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	"k8s.io/apimachinery/pkg/api/resource"
)

func main() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var text string
		if err := json.Unmarshal(lines.Bytes(), &text); err != nil {
			panic(err)
		}
		answer := []any{text, nil}
		if quantity, err := resource.ParseQuantity(text); err == nil {
			answer[1] = quantity.AsDec().String()
		}
		line, _ := json.Marshal(answer)
		fmt.Println(string(line))
	}
}
