// SPDX-License-Identifier: Apache-2.0

// Prints which texts the library of Pachyderm 2.12 takes for schedules:
//
//	cd tests/golden/crons && go run . >../crons.jsonl
//
// A line for each text: {"spec", "error"}; the error is absent where there is none. The texts are those below and random
// ones; the seed is fixed, so the output is always the same.
package main

import (
	"bufio"
	"encoding/json"
	"log"
	"math/rand"
	"os"
	"strings"

	"github.com/robfig/cron"
)

const randomAnswers = 600

// As people write them, rightly and wrongly.
var real = []string{
	"* * * * *", "0 3 * * *", "*/15 * * * *", "0 0 1 1 *", "0 9-17 * * mon-fri", "0 0 * * 7", "0 0 * * sun", "0 0 * * SUN",
	"0 0 31 feb *", "5,10,,15 * * * *", ", * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * 0 *",
	"* * * * * *", "* * * *", "*", "? ? ? ? ?", "*-5 * * * *", "*-x-y * * * *", "5- * * * *", "-5 * * * *", "5-3 * * * *",
	"5/15 * * * *", "5-10/0 * * * *", "*/0 * * * *", "*/5/6 * * * *", "*/ * * * *", "/5 * * * *", "+5 * * * *", "05 * * * *",
	"1.5 * * * *", "a * * * *", "jan * * * *", "* * * january *", "* * * * mo", "*/99999999999999999999 * * * *", "*/61 * * * *",
	"  0   3 * *\t* ", "0 0 L * *", "0 0 * * 1#2", "0 0 15W * *", "TZ=UTC 0 0 * * *", "CRON_TZ=UTC 0 0 * * *", "0 0 * * mon,wed,fri",
	"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly", "@minutely", "@reboot", "@Daily", " @daily", "@daily ",
	"@every", "@every ", "@every 60s", "@every 1m30s", "@every 1d", "@every 60", "@every 0", "@every -5s", "@every +5s", "@every 0.5h",
	"@every  60s", "@every 60s ", "@every 1h 30m", "@every 10ms", "@every 1us", "@EVERY 60s", "@", "@@daily", "every 60s", "hourly",
	"@every --5s", "@every .5s", "@every 5.s", "@every 290y", "@every 2562047h", "@every 2562048h",
}

// The parts of random ones.
var words = []string{
	"*", "*", "*", "?", "0", "1", "5", "6", "7", "12", "23", "24", "31", "59", "60", "mon", "FRI", "sun", "jan", "dec", "x",
	"1-5", "5-1", "mon-fri", "0-59", "*/5", "1-30/7", "3/4", "*/0", "1,2", "1,mon", "jan-mar", "1-", "-", ",", "1,", "*/a", "+1", "00",
}

func main() {
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	random := rand.New(rand.NewSource(1))
	specs := append([]string{}, real...)
	for len(specs) < len(real)+randomAnswers {
		fields := make([]string, 5)
		for i := range fields {
			// Mostly such that only one of them can be wrong.
			fields[i] = "*"
			if random.Intn(3) == 0 {
				fields[i] = words[random.Intn(len(words))]
			}
		}
		specs = append(specs, strings.Join(fields, " "))
	}
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	for _, spec := range specs {
		answer := struct {
			Spec  string `json:"spec"`
			Error string `json:"error,omitempty"`
		}{Spec: spec}
		if _, err := cron.ParseStandard(spec); err != nil {
			answer.Error = err.Error()
		}
		if err := encoder.Encode(answer); err != nil {
			log.Fatal(err)
		}
	}
}
