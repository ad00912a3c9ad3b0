# SPDX-License-Identifier: Apache-2.0
"""Finds places in C++ where a single subtle fault can be made, and what the faulty code is.

Places are found by the form of the text alone (tree-sitter), without types: what does not compile is left out later.
The text of a fault has `@` where its number comes, and as many lines as what it replaces.
"""

import dataclasses
import re

import tree_sitter
import tree_sitter_cpp

LANGUAGE = tree_sitter.Language(tree_sitter_cpp.language())

# How often each kind is chosen where there is one.
KINDS = {
    "a dropped check": 4,
    "an inverted condition": 3,
    "a dropped part of a condition": 3,
    "another comparison": 2,
    "a skipped statement": 4,
    "an ignored error": 2,
    "a missing part of a key": 3,
    "another order": 3,
    "a wrong constant": 3,
    "an inverted flag": 2,
    "swapped arguments": 1,
    "another function": 2,
    "an early return": 2,
}

BOUNDARIES = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}
OTHER_FUNCTIONS = {
    "min": "max", "max": "min", "find": "rfind", "rfind": "find", "front": "back", "back": "front",
    "starts_with": "ends_with", "ends_with": "starts_with", "lower_bound": "upper_bound", "upper_bound": "lower_bound",
    "any_of": "all_of", "all_of": "any_of", "none_of": "any_of", "find_first_of": "find_last_of", "floor": "ceil",
    "filename": "stem", "stem": "filename", "lstat": "stat", "stat": "lstat", "weakly_canonical": "absolute",
    "find_first_not_of": "find_first_of", "find_last_of": "find_first_of",
}  # fmt: skip

# Hints to the machine, how long something waits before it looks again, and words for developers: a program without them
# does the same.
HINTS = re.compile(r"(reserve|shrink_to_fit|madvise|posix_fadvise|fadvise|readahead|mallopt|debug|trace|assert)$")
SPEED = re.compile(r"buffer|chunk|block|batch|capacity|poll|interval|pause|patience|step|threads|ahead|notice_ms|between", re.IGNORECASE)
ADDS = re.compile(r"(\badd\w*|\bupdate\w*|\bappend|\bpush_back|\bemplace_back|\bexcept)$")
KEYS = re.compile(r"key|digest|identity|inputs|settings|fingerprint", re.IGNORECASE)

# Within these nothing can be decided when the program runs.
CONSTANT_PARTS = {
    "template_argument_list", "template_parameter_list", "static_assert_declaration", "enumerator", "case_label",
    "array_declarator", "preproc_def", "preproc_if", "preproc_include", "preproc_function_def", "requires_clause",
    "sizeof_expression", "alignas_qualifier", "decltype", "noexcept", "attribute_declaration", "bitfield_clause",
    "attribute_specifier", "default_method_clause", "parameter_list", "linkage_specification",
}  # fmt: skip


@dataclasses.dataclass
class Place:
    """One fault that can be made."""

    file: str
    function: str
    line: int
    last_line: int
    kind: str
    what: str
    edits: list  # (begin, end, text)
    span: tuple  # bytes that no other fault may touch


def without_macros(text):
    """BASE_TRY_ASSIGN(declaration, expression) as a declaration, with every byte where it was."""
    data = bytearray(text)
    for match in re.finditer(rb"BASE_TRY_ASSIGN\(", text):
        depth, at, comma = 1, match.end(), None
        while depth and at < len(text):
            byte = text[at : at + 1]
            if byte in b"([{":
                depth += 1
            elif byte in b")]}":
                depth -= 1
            elif byte == b"," and depth == 1 and comma is None and text.count(b"<", match.end(), at) == text.count(
                b">", match.end(), at
            ):
                comma = at
            at += 1
        if comma is None or depth:
            continue
        data[match.start() : match.end()] = b" " * (match.end() - match.start())
        data[comma : comma + 1] = b"="
        data[at - 1 : at] = b" "
    return bytes(data)


class File:
    """The places of one file."""

    def __init__(self, name, text):
        self.name, self.text = name, text
        self.tree = tree_sitter.Parser(LANGUAGE).parse(without_macros(text))
        self.places = []
        self.functions = {}  # name and line: lines of code
        self._visit(self.tree.root_node, None)

    def _of(self, node):
        return self.text[node.start_byte : node.end_byte].decode()

    def _flat(self, node):
        """The text in one line; None where a comment would swallow the rest."""
        text = self._of(node)
        return None if "//" in text or "\n#" in text or 'R"' in text else re.sub(r"\s*\n\s*", " ", text)

    def _add(self, function, node, kind, what, *edits):
        if any(text is None for _, _, text in edits):
            return
        self.places.append(
            Place(self.name, function, node.start_point[0] + 1, node.end_point[0] + 1, kind,
                  re.sub(r"\s+", " ", what)[:100], list(edits), (node.start_byte, node.end_byte))
        )  # fmt: skip

    def _wrap(self, function, node, kind, what, before, after):
        self._add(function, node, kind, what, (node.start_byte, node.start_byte, before),
                  (node.end_byte, node.end_byte, after))  # fmt: skip

    def _visit(self, node, function):
        if node.type in CONSTANT_PARTS and not (node.type == "parameter_list" and function):
            return
        qualifiers = [self._of(child) for child in node.children if child.type == "type_qualifier"]
        if "constexpr" in qualifiers or "consteval" in qualifiers:
            return
        if node.type == "if_statement" and any(child.type == "constexpr" for child in node.children):
            return
        if node.type == "function_definition" and function is None:
            declarator = node.child_by_field_name("declarator")
            body = node.child_by_field_name("body")
            if declarator is not None and body is not None and body.type == "compound_statement":
                name = re.sub(r"\(.*", "", self._of(declarator), flags=re.DOTALL).strip("&* ")
                function = f"{name}:{node.start_point[0] + 1}"
                self.functions[function] = node.end_point[0] - node.start_point[0] + 1
                self._early_return(function, node, body)
        if function is not None:
            handler = getattr(self, f"_at_{node.type}", None)
            if handler is not None:
                handler(node, function)
        for child in node.children:
            self._visit(child, function)

    def _early_return(self, function, node, body):
        kind_of = node.child_by_field_name("type")
        kind_of = self._of(kind_of) if kind_of is not None else ""
        value = {"void": "", "base::Status": " {}"}.get(kind_of)
        statements = [child for child in body.named_children if child.type != "comment"]
        if value is None or "noreturn" in self._of(node)[:40]:
            return
        for statement in statements[1:]:
            if statement.type in ("return_statement", "declaration"):
                continue
            text = f"if (fault::on(@)) {{ return{value}; }} "
            self._add(function, statement, "an early return", f"return before {self._of(statement)}",
                      (statement.start_byte, statement.start_byte, text))  # fmt: skip
            self.places[-1].last_line = self.places[-1].line

    # Conditions.

    def _at_if_statement(self, node, function):
        clause = node.child_by_field_name("condition")
        value = clause.child_by_field_name("value") if clause is not None else None
        body = node.child_by_field_name("consequence")
        if value is None or body is None:
            return
        if value.type in ("declaration", "condition_declaration"):
            return
        text = self._of(value)
        self._wrap(function, value, "an inverted condition", f"if ({text})", "fault::on(@) != static_cast<bool>(", ")")
        if node.child_by_field_name("alternative") is None:
            self._wrap(function, value, "a dropped check", f"if ({text}) {self._of(body)}", "!fault::on(@) && (", ")")

    def _at_conditional_expression(self, node, function):
        value = node.child_by_field_name("condition")
        self._wrap(function, value, "an inverted condition", self._of(node),
                   "(fault::on(@) != static_cast<bool>(", "))")  # fmt: skip

    def _at_while_statement(self, node, function):
        clause = node.child_by_field_name("condition")
        value = clause.child_by_field_name("value") if clause is not None else None
        if value is not None and value.type not in ("declaration", "true"):
            self._wrap(function, value, "a dropped check", f"while ({self._of(value)})", "!fault::on(@) && (", ")")

    def _at_binary_expression(self, node, function):
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        operator = self._of(node.child_by_field_name("operator"))
        both = self._of(node)
        if operator in ("&&", "||"):
            before = "(fault::on(@) || " if operator == "&&" else "(!fault::on(@) && "
            before += "static_cast<bool>("
            for part in (left, right):
                if part.type == "binary_expression" and self._of(part.child_by_field_name("operator")) == operator:
                    continue
                self._wrap(function, part, "a dropped part of a condition", f"{self._of(part)} in {both}", before, "))")
        elif operator in BOUNDARIES:
            if "0" in (self._of(left), self._of(right)):
                return  # results of system calls, of which few are 0
            other = f"({self._flat(left)}) {BOUNDARIES[operator]} ({self._flat(right)})"
            if self._flat(node) is not None:
                self._wrap(function, node, "another comparison", f"{both} -> {BOUNDARIES[operator]}",
                           f"(fault::on(@) ? {other} : ", ")")  # fmt: skip
        elif operator in ("==", "!="):
            if node.parent.type in ("binary_expression", "return_statement", "argument_list", "init_declarator"):
                self._wrap(function, node, "another comparison", both, "(fault::on(@) != (", "))")

    # Statements.

    def _callee(self, statement):
        """The name of what a statement calls, "" for none."""
        call = statement.named_children[0] if statement.named_children else None
        if statement.type != "expression_statement" or call is None or call.type != "call_expression":
            return ""
        name = self._of(call.child_by_field_name("function"))
        if name == "BASE_TRY":
            inner = call.child_by_field_name("arguments").named_children
            if len(inner) == 1 and inner[0].type == "call_expression":
                return self._of(inner[0].child_by_field_name("function"))
        return name

    def _at_compound_statement(self, node, function):
        before = None
        for statement in node.named_children:
            if statement.type != "expression_statement":
                before = None
                continue
            self._statement(statement, function)
            if before is not None:
                self._order(before, statement, function)
            before = statement

    def _statement(self, node, function):
        text, callee = self._of(node), self._callee(node)
        value = node.named_children[0] if node.named_children else None
        if value is None or HINTS.search(callee) or value.type not in (
            "call_expression", "assignment_expression", "update_expression", "delete_expression"
        ):  # fmt: skip
            return
        if not text.rstrip().endswith(";"):
            return
        is_key = ADDS.search(callee) and KEYS.search(function + self.name + callee)
        kind = "a missing part of a key" if is_key else "a skipped statement"
        self._wrap(function, node, kind, text, "{ if (!fault::on(@)) { ", " } }")
        if text.startswith("BASE_TRY(") and self._flat(node):
            inner = self._flat(node)[len("BASE_TRY(") : -len(");")]
            self._wrap(function, node, "an ignored error", text,
                       f"{{ if (fault::on(@)) {{ static_cast<void>({inner}); }} else {{ ", " } }")  # fmt: skip

    def _order(self, first, second, function):
        names = self._callee(first), self._callee(second)
        # What is added to a set or map has no order, nor have changes of different things.
        if not all(names) or all(ADDS.search(name) or HINTS.search(name) for name in names):
            return
        changed = [re.fullmatch(r"(.+)(?:\.|->)(?:insert|emplace|erase)", name) for name in names]
        if all(changed) and changed[0][1] != changed[1][1]:
            return
        flat = self._flat(first), self._flat(second)
        if None in flat or flat[0] == flat[1]:
            return
        begin, end = first.start_byte, second.end_byte
        if "//" in self.text[begin:end].decode():
            return
        self.places.append(
            Place(self.name, function, first.start_point[0] + 1, second.end_point[0] + 1, "another order",
                  f"{flat[0]} after {flat[1]}"[:100],
                  [(begin, begin, f"{{ if (fault::on(@)) {{ {flat[1]} {flat[0]} }} else {{ "), (end, end, " } }")],
                  (begin, end))
        )  # fmt: skip

    # Values.

    def _at_number_literal(self, node, function):
        text = self._of(node)
        parent = node.parent
        if not re.fullmatch(r"0[0-7]+|[1-9][0-9']*[uUlL]*|0", text) or SPEED.search(self._of(parent)):
            return
        if parent.type == "binary_expression" and self._of(parent.child_by_field_name("operator")) in BOUNDARIES:
            return  # "another comparison"
        if parent.type in ("subscript_argument_list", "init_declarator", "for_statement") and text == "0":
            return
        number = text.rstrip("uUlL").replace("'", "")
        suffix = text[len(text.rstrip("uUlL")) :]
        is_mode = re.fullmatch(r"0[0-7]{2,}", number)
        other = f"0{int(number, 8) ^ 0o44:o}" if is_mode else f"{int(number) + 1}{suffix}"
        self._wrap(function, node, "a wrong constant", f"{self._of(parent)}: {text} -> {other}",
                   f"(fault::on(@) ? {other} : ", ")")  # fmt: skip

    def _at_identifier(self, node, function):
        text = self._of(node)
        if not text.startswith("k_") or SPEED.search(text):
            return
        if node.parent.type in ("qualified_identifier", "init_declarator", "array_declarator", "declaration"):
            return
        if text in self.numbers:
            self._wrap(function, node, "a wrong constant", f"{self._of(node.parent)}: {text} doubled",
                       "fault::wrong(@, ", ")")  # fmt: skip

    numbers = frozenset()  # names of constants that are numbers or durations

    def _flag(self, node, function):
        if node.parent.type in ("argument_list", "return_statement", "assignment_expression", "initializer_list",
                                "init_declarator", "field_declaration", "conditional_expression"):  # fmt: skip
            self._wrap(function, node, "an inverted flag", self._of(node.parent), "(fault::on(@) != ", ")")

    _at_true = _flag
    _at_false = _flag

    def _at_unary_expression(self, node, function):
        is_value = node.parent.type in ("return_statement", "argument_list", "init_declarator")
        if self._of(node).startswith("!") and is_value:
            self._wrap(function, node, "an inverted condition", self._of(node), "(fault::on(@) != ", ")")

    def _at_call_expression(self, node, function):
        called, arguments = node.child_by_field_name("function"), node.child_by_field_name("arguments")
        text = self._flat(node)
        if text is None or arguments is None or arguments.type != "argument_list":
            return
        is_statement = node.parent.type == "expression_statement"
        before, after = ("if (fault::on(@)) { %s; } else { ", " }") if is_statement else ("(fault::on(@) ? %s : ", ")")
        target = node.parent if is_statement else node
        if is_statement and node.parent.parent.type != "compound_statement":
            return
        name = re.search(r"(\w+)$", self._of(called))
        if name and name[1] in OTHER_FUNCTIONS:
            other = OTHER_FUNCTIONS[name[1]]
            cut = len(self._flat(called)) if self._flat(called) else 0
            if cut:
                changed = f"{text[: cut - len(name[1])]}{other}{text[cut:]}"
                self._wrap(function, target, "another function", f"{text}: {other}", before % changed, after)
        plain = [a for a in arguments.named_children if a.type != "comment"]
        if self._of(called) in ("BASE_TRY", "std::min", "std::max", "std::swap"):
            return
        for first, second in zip(plain, plain[1:]):
            pair = self._of(first), self._of(second)
            types = ("identifier", "field_expression")
            if first.type not in types or second.type not in types or pair[0] == pair[1] or "k_" in "".join(pair):
                continue
            begin, end = node.start_byte, node.end_byte
            changed = (
                self.text[begin : first.start_byte].decode() + pair[1]
                + self.text[first.end_byte : second.start_byte].decode() + pair[0]
                + self.text[second.end_byte : end].decode()
            )  # fmt: skip
            changed = re.sub(r"\s*\n\s*", " ", changed)
            self._wrap(function, target, "swapped arguments", changed, before % changed, after)


CONSTANT = re.compile(
    r"constexpr\s+(?:[\w:<>, ]+?\s)?(k_\w+)\s*(?:=|\{)\s*"
    r"(?:std::chrono::\w+[({])?[\d'][\d'xa-fA-Fhms.]*[uUlL]*[)}]?\s*(?:[*<]+\s*[\d']+\s*)*;"
)


def constants(texts):
    """Names of constants that are numbers or durations, of all files; not of zero, which doubled is the same."""
    found = (match for text in texts for match in CONSTANT.finditer(text.decode()))
    return frozenset(match[1] for match in found if re.search("[1-9]", match[0].partition(match[1])[2]))


def find(name, text, numbers):
    File.numbers = numbers
    return File(name, text)
