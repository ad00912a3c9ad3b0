# SPDX-License-Identifier: Apache-2.0
"""Well-known modules as they are, each through a small main without a go.sum: built by builder-runtime, run by run.sh."""

import json
import pathlib
import shutil
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "suites"))

import support  # noqa: E402  (found by the line above)
from builder_suite import BuilderSuite  # noqa: E402

SQL = """	db, err := sql.Open("{driver}", ":memory:")
	if err != nil {{ panic(err) }}
	var three int
	if err := db.QueryRow("select 1 + 2").Scan(&three); err != nil {{ panic(err) }}
	fmt.Println(three)
"""

# Module and version, imports, the body of main, what it prints.
MODULES = {
    "cobra": ("github.com/spf13/cobra v1.10.2", ['"github.com/spf13/cobra"'],
              '\tcommand := &cobra.Command{Use: "x", Run: func(*cobra.Command, []string) { fmt.Println("ran") }}\n'
              "\tif err := command.Execute(); err != nil { panic(err) }\n", "ran"),
    "zap": ("go.uber.org/zap v1.28.0", ['"go.uber.org/zap"'],
            '\tzap.NewExample().Info("to be read")\n\tfmt.Println("logged")\n', '{"level":"info","msg":"to be read"}\nlogged'),
    "gonum": ("gonum.org/v1/gonum v0.17.0", ['"gonum.org/v1/gonum/mat"'],
              "\tfmt.Println(mat.Det(mat.NewDense(2, 2, []float64{2, 0, 0, 3})))\n", "6"),
    "gRPC": ("google.golang.org/grpc v1.85.0", ['"google.golang.org/grpc"'],
             "\tserver := grpc.NewServer()\n\tserver.Stop()\n\tfmt.Println(len(server.GetServiceInfo()))\n", "0"),
    "AWS": ("github.com/aws/aws-sdk-go-v2/service/s3 v1.80.0", ['"github.com/aws/aws-sdk-go-v2/service/s3"'],
            '\tfmt.Println(s3.New(s3.Options{Region: "eu-central-1"}).Options().Region)\n', "eu-central-1"),
    "GCS": ("cloud.google.com/go/storage v1.70.0", ['"context"', '"cloud.google.com/go/storage"', '"google.golang.org/api/option"'],
            "\tclient, err := storage.NewClient(context.Background(), option.WithoutAuthentication())\n"
            '\tif err != nil { panic(err) }\n\tfmt.Println(client.Bucket("b").BucketName())\n', "b"),
    "SQLite with C": ("github.com/mattn/go-sqlite3 v1.14.53", ['"database/sql"', '_ "github.com/mattn/go-sqlite3"'],
                      SQL.format(driver="sqlite3"), "3"),
    "SQLite without C": ("modernc.org/sqlite v1.61.1", ['"database/sql"', '_ "modernc.org/sqlite"'],
                         SQL.format(driver="sqlite"), "3"),
    "Arrow": ("github.com/apache/arrow-go/v18 v18.8.0", ['"github.com/apache/arrow-go/v18/arrow"'],
              "\tfmt.Println(arrow.PrimitiveTypes.Int64)\n", "int64"),
    "Prometheus": ("github.com/prometheus/client_golang v1.25.0", ['"github.com/prometheus/client_golang/prometheus"'],
                   '\tfmt.Println(prometheus.NewDesc("x", "help", nil, nil) != nil)\n', "true"),
    "image": ("golang.org/x/image v0.47.0", ['"image"', '"golang.org/x/image/draw"'],
              "\tto := image.NewRGBA(image.Rect(0, 0, 2, 2))\n\tdraw.Copy(to, image.Point{}, image.Black, to.Bounds(), draw.Src, nil)\n"
              "\tfmt.Println(to.Bounds())\n", "(0,0)-(2,2)"),
}


class Modules(BuilderSuite):
    def test_each_builds_and_runs(self):
        support.require_network()
        support.require_tool("go")
        for name, (module, imports, body, expected) in MODULES.items():
            with self.subTest(name):
                lines = "".join(f"\t{line}\n" for line in ('"fmt"', *imports))
                source = self.source({
                    "go.mod": f"module example.com/app\n\ngo 1.25\n\nrequire {module}\n",
                    "main.go": f"package main\n\nimport (\n{lines})\n\nfunc main() {{\n{body}}}\n"})
                self.build_well(source, timeout=900)
                result = self.run_artifact(source)
                output = "\n".join(filter(None, (result.stdout.strip(), result.stderr.strip())))
                self.assertEqual((result.returncode, sorted(output.splitlines())), (0, sorted(expected.splitlines())), name)
                record = json.loads((self.folder / "out/build.json").read_text(encoding="utf-8"))
                self.assertIn(module, record["packages"])
                self.assertEqual(bool(record["libraries"]), name == "SQLite with C", record["libraries"])
                shutil.rmtree(source)


if __name__ == "__main__":
    support.main()
