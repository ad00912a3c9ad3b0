"""The probe of `pachbuild builder test`; docs/authoring-builders.md says what it does."""

import os
import signal
import sys

kind, words = sys.argv[1], sys.argv[2:]
if kind == "arguments":
    with open("/pfs/out/arguments", "wb") as out:
        out.write(b"".join(os.fsencode(word) + b"\0" for word in words))
elif kind == "exit":
    sys.exit(int(words[0]))
elif kind == "signal":
    number = int(words[0])
    if number != signal.SIGKILL:
        signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
