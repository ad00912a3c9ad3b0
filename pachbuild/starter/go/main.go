// SPDX-License-Identifier: Apache-2.0

// Counts the words of each text in the repo "texts".
//
// Pachyderm runs this program once for each datum. In pipeline.json the glob "/*" makes every file of the repo a
// datum. The program finds the datum's files in /pfs/texts; whatever it leaves in /pfs/out is the output.
package main

import (
	"bytes"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"regexp"
	"sort"
)

var word = regexp.MustCompile("[a-z]+")

func countWords(name string) error {
	text, err := os.ReadFile(filepath.Join("/pfs/texts", name))
	if err != nil {
		return err
	}
	found := word.FindAllString(string(bytes.ToLower(text)), -1)
	counts := map[string]int{}
	for _, w := range found {
		counts[w]++
	}
	words := []string{}
	for w := range counts {
		words = append(words, w)
	}
	sort.Slice(words, func(i, j int) bool {
		if counts[words[i]] != counts[words[j]] {
			return counts[words[i]] > counts[words[j]]
		}
		return words[i] < words[j]
	})
	var lines bytes.Buffer
	for _, w := range words {
		fmt.Fprintf(&lines, "%d %s\n", counts[w], w)
	}
	fmt.Printf("%s: %d words\n", name, len(found))
	return os.WriteFile(filepath.Join("/pfs/out", name), lines.Bytes(), 0o644)
}

func main() {
	texts, err := os.ReadDir("/pfs/texts")
	if err != nil {
		log.Fatal(err)
	}
	for _, text := range texts {
		if err := countWords(text.Name()); err != nil {
			log.Fatal(err)
		}
	}
}
