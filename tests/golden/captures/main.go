// SPDX-License-Identifier: Apache-2.0

// Prints what the groups of globs capture, by the matcher of Pachyderm 2.12, and what join_on and group_by make of it:
//
//	cd tests/golden/captures && go run . >../captures.jsonl
//
// A line for each glob and path that it matches: {"glob", "path", "captures"}; "captures" begins with the whole path,
// as $0. Lines with a "template" have what it becomes in "replaced". The globs are those below and random ones; the
// seed is fixed, so the output is always the same.
package main

import (
	"bufio"
	"encoding/json"
	"log"
	"math/rand"
	"os"
	"strings"

	glob "github.com/pachyderm/ohmyglob"
)

const randomAnswers = 1200

// Globs and paths as people have them.
var real = []struct {
	glob  string
	paths []string
}{
	{"/(*)/*_STOREID(*).txt", []string{
		"/2025/ODDR1_STOREID5.txt", "/a_STOREID1/b_STOREID2_STOREID3.txt", "//_STOREID.txt"}},
	{"/(*)_STOREID(*).txt", []string{
		"/ORDERW1_STOREID5.txt", "/a_STOREID1_STOREID2.txt", "/_STOREID.txt", "/x.txt_STOREID1.txt.txt"}},
	{"/*_STOREID(*).txt", []string{"/a_STOREID1_STOREID2.txt"}},
	{"/**_STOREID(*).txt", []string{"/a/b_STOREID1.txt", "/a_STOREID1/b_STOREID2.txt"}},
	{"/(*)-(*)-(*).csv", []string{"/2025-01-02.csv", "/a-b-c-d-e.csv", "/--.csv"}},
	{"/(*)(*)", []string{"/ab"}},
	{"/(*)*(*)", []string{"/ab"}},
	{"/*(*)", []string{"/ab", "/"}},
	{"/(?)(?)", []string{"/ab"}},
	{"/(**)/(*)", []string{"/a/b", "/a/b/c", "//"}},
	{"/(**)(*)", []string{"/a/b/c"}},
	{"/(*)/(**)", []string{"/a/b/c"}},
	{"/(*/*)/(*)", []string{"/a/b/c"}},
	{"/((*)/(*))", []string{"/a/b"}},
	{"/(a|ab)(c|bcd)(*)", []string{"/abcd"}},
	{"/(ab|a)(c|bcd)(*)", []string{"/abcd"}},
	{"/@(a|b)", []string{"/a"}},
	{"/?(a|b)c", []string{"/c", "/ac"}},
	{"/*(a|b)c", []string{"/c", "/aabac"}},
	{"/+(a|b)c", []string{"/aabac"}},
	{"/!(a|b)c", []string{"/c", "/xc", "/abc"}},
	{"/!(*.txt)", []string{"/a.csv", "/", "/txt"}},
	{"/+((a)|b)", []string{"/aba", "/bb"}},
	{"/*((a)|(b))", []string{"/ab", "/ba", "/"}},
	{"/+((?)(?))", []string{"/abcd"}},
	{"/{a,b}(*)", []string{"/ac"}},
	{"/{a*,(b*)}", []string{"/ac", "/bc"}},
	{"/([0-9]*)_([A-Z])*", []string{"/20_Xa", "/2_0_Xa"}},
	{"/(\\*)", nil},
	{"/(data|flags)/(*).csv", []string{"/data/1.csv", "/flags/a.b.csv"}},
	{"/data_(year*).txt", []string{"/data_year2025.txt"}},
	{"/(*)_L(*)_R([12]).fastq", []string{"/s1_L001_R2.fastq", "/a_L1_L2_R1.fastq"}},
	{"/plain", []string{"/plain"}},
	{"/()x", []string{"/x"}},
	{"/(|x)(*)", []string{"/xy"}},
	{"/(x|)(*)", []string{"/xy"}},
	{"/(1)(2)(3)(4)(5)(6)(7)(8)(9)(0)(a)(b)", []string{"/1234567890ab"}},
}

// Templates for paths of the last of these globs and for another one. The library panics at numbers with a leading
// zero, above 999,999,999, or of other digits than 0 to 9, so none has these.
var templates = []string{
	"", "$1", "$2", "$0", "$3", "$12", "$13", "$1$2", "$1-$2", "$2-$1",
	"${1}", "${1}2", "${12}", "${1", "${}", "${x}", "$", "$$", "$$1", "$$$1",
	"$x", "$1x", "x$1", "$-1", "${1}${2}", "$1 $2", "a$", "$ 1", "$99999999", "{1}", "\\1", "\\$1", "$(1)", "ä$1ö",
}

type answer struct {
	Glob     string   `json:"glob"`
	Path     string   `json:"path"`
	Captures []string `json:"captures,omitempty"`
	Template *string  `json:"template,omitempty"`
	Replaced *string  `json:"replaced,omitempty"`
}

type drawing struct {
	*rand.Rand
}

func (d drawing) one(of string) string {
	return string(of[d.Intn(len(of))])
}

// A random pattern, and a text that it may match.
func (d drawing) pattern(depth int) (string, string) {
	var pattern, text string
	for i := d.Intn(4) + 1; i > 0; i-- {
		p, t := d.part(depth)
		// Two stars side by side would be read as others than they are.
		if strings.HasSuffix(pattern, "*") && strings.HasPrefix(p, "*") ||
			strings.ContainsAny(last(pattern), "?*+!@") && strings.HasPrefix(p, "(") {
			continue
		}
		pattern += p
		text += t
	}
	return pattern, text
}

func last(s string) string {
	if s == "" {
		return ""
	}
	return s[len(s)-1:]
}

func (d drawing) part(depth int) (string, string) {
	kind := d.Intn(10)
	if depth > 0 && kind < 5 {
		return d.group(depth)
	}
	switch kind {
	case 0, 5:
		return "*", d.some("ab1_.")
	case 1:
		return "**", d.some("ab/1")
	case 2, 6:
		return "?", d.one("ab1")
	case 3:
		return "[ab]", d.one("ab")
	case 4:
		return "[!a]", d.one("b1_")
	case 7:
		return "/", "/"
	default:
		c := d.one("ab1_.")
		return c, c
	}
}

func (d drawing) some(of string) string {
	var text string
	for i := d.Intn(4); i > 0; i-- {
		text += d.one(of)
	}
	return text
}

func (d drawing) group(depth int) (string, string) {
	var patterns, texts []string
	for i := d.Intn(3) + 1; i > 0; i-- {
		p, t := d.pattern(depth - 1)
		patterns = append(patterns, p)
		texts = append(texts, t)
	}
	kind := []string{"", "", "", "", "@", "?", "*", "+", "!"}[d.Intn(9)]
	text := texts[d.Intn(len(texts))]
	switch kind {
	case "!":
		text = d.some("ab1")
	case "*", "+":
		for i := d.Intn(3); i > 0; i-- {
			text += texts[d.Intn(len(texts))]
		}
	}
	return kind + "(" + strings.Join(patterns, "|") + ")", text
}

func main() {
	buffered := bufio.NewWriter(os.Stdout)
	defer buffered.Flush()
	out := json.NewEncoder(buffered)
	out.SetEscapeHTML(false)
	tell := func(a answer) {
		if err := out.Encode(a); err != nil {
			log.Fatal(err)
		}
	}
	for _, r := range real {
		g := glob.MustCompile(r.glob, '/')
		for _, path := range r.paths {
			if g.Match(path) {
				tell(answer{Glob: r.glob, Path: path, Captures: g.Capture(path)})
			}
		}
	}
	many := real[len(real)-1]
	for _, r := range []struct{ glob, path string }{{many.glob, many.paths[0]}, {"/(*)_(*)", "/a_b"}} {
		g := glob.MustCompile(r.glob, '/')
		for i := range templates {
			replaced := g.Replace(r.path, templates[i])
			tell(answer{Glob: r.glob, Path: r.path, Template: &templates[i], Replaced: &replaced})
		}
	}
	d := drawing{rand.New(rand.NewSource(1))}
	seen := map[string]bool{}
	for count := 0; count < randomAnswers; {
		pattern, path := d.pattern(2)
		pattern, path = "/"+pattern, "/"+path
		if !strings.Contains(pattern, "(") || len(pattern) > 40 || seen[pattern+"\t"+path] {
			continue
		}
		g, err := glob.Compile(pattern, '/')
		if err != nil || !g.Match(path) {
			continue
		}
		seen[pattern+"\t"+path] = true
		tell(answer{Glob: pattern, Path: path, Captures: g.Capture(path)})
		count++
	}
}
