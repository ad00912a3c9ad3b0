# SPDX-License-Identifier: Apache-2.0
"""Wheels made by hand, and a package that makes its own; they install without an index."""

import base64
import hashlib
import io
import zipfile

# A module with a PEP 517 backend of its own, which requires nothing but the standard library.
HOMEMADE = {"homemade/pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
                                       '[project]\nname = "homemade"\nversion = "1"\n',
            "homemade/backend.py": '''\
import zipfile
def build_wheel(folder, config_settings=None, metadata_directory=None):
    name = "homemade-1-py3-none-any.whl"
    info = "homemade-1.dist-info/"
    with zipfile.ZipFile(folder + "/" + name, "w") as wheel:
        wheel.write("homemade.py")
        wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\\nName: homemade\\nVersion: 1\\n")
        wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\\nGenerator: own\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(info + "RECORD", "homemade.py,,\\n" + info + "METADATA,,\\n" + info + "WHEEL,,\\n" + info + "RECORD,,\\n")
    return name
'''}


def wheel(name, files, recorded=None, version="1.0", metadata=""):
    """A wheel with these files; `recorded` are those that its RECORD lists, with the content that it lists. `metadata` are
    more lines of its METADATA."""
    files = {path: content if isinstance(content, bytes) else content.encode() for path, content in files.items()}
    info = f"{name}-{version}.dist-info"
    files[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{metadata}".encode()
    files[f"{info}/WHEEL"] = b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    listed = {**files, **{path: content.encode() for path, content in (recorded or {}).items()}}
    lines = []
    for path, content in listed.items():
        if recorded is not None and path.endswith(".py") and path not in recorded:
            continue
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        quoted = f'"{path}"' if "," in path else path
        lines.append(f"{quoted},sha256={digest},{len(content)}\n")
    files[f"{info}/RECORD"] = "".join([*lines, f"{info}/RECORD,,\n"]).encode()
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for path, content in files.items():
            archive.writestr(zipfile.ZipInfo(path), content)
    return data.getvalue()
