// SPDX-License-Identifier: Apache-2.0

// Pads each file of the repo numbers to four characters with the character given as the argument.
package main

import (
	"log"
	"os"
	"path/filepath"

	"github.com/keltia/leftpad"
)

func pad(name, character string) error {
	number, err := os.ReadFile(filepath.Join("/pfs/numbers", name))
	if err != nil {
		return err
	}
	padded, err := leftpad.PadChar(string(number), 4, []rune(character)[0])
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join("/pfs/out", name), []byte(padded), 0o666)
}

func main() {
	numbers, err := os.ReadDir("/pfs/numbers")
	if err != nil {
		log.Fatal(err)
	}
	for _, number := range numbers {
		if err := pad(number.Name(), os.Args[1]); err != nil {
			log.Fatal(err)
		}
	}
}
