# SPDX-License-Identifier: Apache-2.0
"""As much of JSON Schema as our schemas use. A keyword that is not known here is an error."""

import re

TYPES = {"string": str, "boolean": bool, "object": dict, "array": list}
SAID_ONLY = {"$schema", "$defs", "title", "description", "examples"}


def is_type(value, name):
    if name in ("integer", "number"):
        numbers = int if name == "integer" else (int, float)
        return isinstance(value, numbers) and not isinstance(value, bool)
    return isinstance(value, TYPES[name])


def faults(value, schema, root=None, at="$"):
    """What of `value` is not as `schema` has it, a line each."""
    root = root or schema
    found = []
    for keyword, wanted in schema.items():
        if keyword in SAID_ONLY:
            continue
        if keyword == "$ref":
            found += faults(value, root["$defs"][wanted.removeprefix("#/$defs/")], root, at)
        elif keyword == "oneOf":
            fitting = [one for one in wanted if not faults(value, one, root, at)]
            if len(fitting) != 1:
                found.append(f"{at}: {value!r} fits {len(fitting)} of the alternatives")
        elif keyword == "type":
            if not is_type(value, wanted):
                return [f"{at}: {value!r} is no {wanted}"]
        elif keyword == "const":
            if value != wanted:
                found.append(f"{at}: is not {wanted!r}")
        elif keyword == "enum":
            if value not in wanted:
                found.append(f"{at}: {value!r} is none of {wanted}")
        elif keyword == "minimum":
            if value < wanted:
                found.append(f"{at}: {value} is less than {wanted}")
        elif keyword == "pattern":
            if not re.search(wanted, value):
                found.append(f"{at}: {value!r} does not match {wanted}")
        elif keyword == "required":
            found += [f"{at}: lacks {name}" for name in wanted if name not in value]
        elif keyword == "properties":
            for name, one in wanted.items():
                if name in value:
                    found += faults(value[name], one, root, f"{at}.{name}")
        elif keyword == "items":
            for index, item in enumerate(value):
                found += faults(item, wanted, root, f"{at}[{index}]")
        elif keyword == "additionalProperties" and wanted is False:
            found += [f"{at}: {name} is not expected" for name in value if name not in schema["properties"]]
        else:
            raise AssertionError(f"{at}: the keyword {keyword} is not known here")
    return found
