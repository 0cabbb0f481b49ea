// etcd as published: its module has no main package that `go install` accepts outside its own workspace.
package main

import (
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
)

func main() { etcdmain.Main(os.Args) }
