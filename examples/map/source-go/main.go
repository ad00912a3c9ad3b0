// SPDX-License-Identifier: Apache-2.0

// Counts the words of each page in the repo scraper: /pfs/scraper/P gives /pfs/out/P.txt.
//
// A word is a run of ASCII letters and digits within one piece of the page's text, in lower case; scripts, styles
// and what browsers do not show (noscript, template) are not text. The most frequent words come first, equally
// frequent ones in alphabetical order. ../source-python does the same, byte for byte.
package main

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"io/fs"
	"log"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

const (
	pages = "/pfs/scraper"
	out   = "/pfs/out"
)

var (
	notText = []string{"noscript", "script", "style", "template"}
	word    = regexp.MustCompile("[0-9A-Za-z]+")
)

func countWords(page io.Reader) (map[string]int, error) {
	// Without scripting, as parsers outside of browsers read a page.
	tree, err := html.ParseWithOptions(page, html.ParseOptionEnableScripting(false))
	if err != nil {
		return nil, err
	}
	counts := map[string]int{}
	addWords(tree, counts)
	return counts, nil
}

func addWords(node *html.Node, counts map[string]int) {
	if node.Type == html.ElementNode && slices.Contains(notText, node.Data) {
		return
	}
	if node.Type == html.TextNode {
		for _, w := range word.FindAllString(node.Data, -1) {
			counts[strings.ToLower(w)]++
		}
	}
	for child := range node.ChildNodes() {
		addWords(child, counts)
	}
}

func appendCounts(counts map[string]int, path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
	if err != nil {
		return err
	}
	table := bufio.NewWriter(file)
	for _, w := range slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), strings.Compare(a, b))
	}) {
		fmt.Fprintf(table, "%s\t%d\n", w, counts[w])
	}
	if err := table.Flush(); err != nil {
		return err
	}
	return file.Close()
}

func run() error {
	// DirFS, since /pfs/scraper is a symbolic link, which a plain walk would not enter.
	scraper := os.DirFS(pages)
	return fs.WalkDir(scraper, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		page, err := scraper.Open(path)
		if err != nil {
			return err
		}
		defer page.Close()
		counts, err := countWords(page)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		return appendCounts(counts, filepath.Join(out, path+".txt"))
	})
}

func main() {
	log.SetFlags(0)
	if err := run(); err != nil {
		log.Fatal(err)
	}
}
