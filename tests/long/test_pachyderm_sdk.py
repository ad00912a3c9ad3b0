# SPDX-License-Identifier: Apache-2.0
"""Clients and messages of the real pachyderm_sdk: what of them reaches pachctl, for which the stand-in stands."""

import json
import subprocess

import cluster_suite
import support

# Answers as a cluster does that is asked for its version, and nothing else.
SERVER = """
import concurrent.futures, grpc

class Handler(grpc.GenericRpcHandler):
    def service(self, details):
        metadata = dict(details.invocation_metadata)
        asked.append((details.method, metadata.get("authn-token")))
        return grpc.unary_unary_rpc_method_handler(lambda request, context: b"")

asked = []
server = grpc.server(concurrent.futures.ThreadPoolExecutor(1))
server.add_generic_rpc_handlers((Handler(),))
port = server.add_insecure_port("127.0.0.1:0")
server.start()
"""
SUBMIT = SERVER + """
import datetime, json, sys
import pachbuild, pachyderm_sdk
from pachyderm_sdk.api import pps

client = pachyderm_sdk.Client("127.0.0.1", port, auth_token="token-of-ann")
submission = pachbuild.create_python_pipeline(
    client, "source", pps.Input(cross=[
        pps.Input(pfs=pps.PfsInput(repo=sys.argv[2], name="a", glob="/*", lazy=True)),
        pps.Input(cron=pps.CronInput(name="tick", spec="@daily"))]),
    sys.argv[1], env={"A": "1"}, secrets=[pps.SecretMount(name="db", key="k", env_var="DB")],
    parallelism_spec=pps.ParallelismSpec(constant=4), resource_requests=pps.ResourceSpec(cpu=1, memory="1G"),
    datum_timeout=datetime.timedelta(minutes=1))
print(json.dumps([submission.pipeline, submission.running_pipeline, port, asked]))
server.stop(0)
try:
    pachbuild.submit("p.json", client)
except pachbuild.Error as error:
    print(json.dumps([str(error), error.exit_code]))
"""


class PachydermSdk(cluster_suite.ClusterSuite):
    builds = False

    @classmethod
    def setUpClass(cls):
        support.require_network()
        cls.venv = support.shared_cache("pachyderm-sdk")
        if not (cls.venv / "whole").exists():
            uv = support.require_tool("uv")
            env = support.environment(UV_CACHE_DIR=str(support.shared_cache("uv")))
            subprocess.run([uv, "venv", "--quiet", "--clear", cls.venv], env=env, check=True)
            subprocess.run([uv, "pip", "install", "--quiet", "--python", cls.venv / "bin/python", "pachyderm-sdk==2.12.2"],
                           env=env, check=True)
            (cls.venv / "whole").touch()

    def test_its_client_and_messages(self):
        if cluster_suite.REAL:
            self.skipTest("looks into the stand-in")
        notes = self.folder / "config.copy"
        self.write("pachctl", f'#!/bin/sh\n[ -e "{notes}" ] || cp "$PACH_CONFIG" "{notes}"\nexec "{cluster_suite.STAND_IN}" "$@"\n',
                   0o755)
        env = {**self.env, "PACHCTL": str(self.folder / "pachctl"), "PYTHONPATH": str(support.ROOT / "python"),
               "PACHBUILD_CACHE_DIR": str(self.folder / "cache")}
        said = self.succeed(self.venv / "bin/python", "-c", SUBMIT, self.pipeline, self.data, env=env).stdout.splitlines()
        pipeline, running, port, asked = json.loads(said[0])
        self.assertEqual((pipeline, running), (self.pipeline, "created"))
        self.assertEqual(asked, [["/versionpb_v2.API/GetVersion", "token-of-ann"]])
        context = json.loads(notes.read_text(encoding="utf-8"))["v2"]["contexts"]["pachbuild"]
        self.assertEqual(context, {"pachd_address": f"grpc://127.0.0.1:{port}", "session_token": "token-of-ann"})
        spec = self.spec_of(self.pipeline)[0]
        self.assertEqual(spec["input"]["cross"][2:], [{"cross": [
            {"pfs": {"repo": self.data, "name": "a", "glob": "/*", "lazy": True}}, {"cron": {"name": "tick", "spec": "@daily"}}]}])
        self.assertEqual((spec["transform"]["env"], spec["transform"]["secrets"]),
                         ({"A": "1"}, [{"name": "db", "key": "k", "env_var": "DB"}]))
        self.assertEqual((int(spec["parallelism_spec"]["constant"]), spec["resource_requests"], spec["datum_timeout"]),
                         (4, {"cpu": 1, "memory": "1G"}, "60s"))
        self.assertEqual(json.loads(said[1]), [
            f"grpc://127.0.0.1:{port}: the cluster does not answer: Could not connect to pachyderm instance\n"
            "hint: check the address, and whether the cluster is running", 75])


if __name__ == "__main__":
    support.main()
