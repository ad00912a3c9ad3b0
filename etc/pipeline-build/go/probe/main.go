// The probe of `pachbuild builder test`; docs/authoring-builders.md says what it does.
package main

import (
	"os"
	"strconv"
	"strings"
	"syscall"
)

func main() {
	kind, words := os.Args[1], os.Args[2:]
	if kind == "arguments" {
		var text strings.Builder
		for _, word := range words {
			text.WriteString(word + "\x00")
		}
		if err := os.WriteFile("/pfs/out/arguments", []byte(text.String()), 0o644); err != nil {
			panic(err)
		}
		return
	}
	number, err := strconv.Atoi(words[0])
	if err != nil {
		panic(err)
	}
	if kind == "exit" {
		os.Exit(number)
	}
	if err := syscall.Kill(os.Getpid(), syscall.Signal(number)); err != nil {
		panic(err)
	}
	select {}
}
