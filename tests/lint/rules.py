"""The house rules that a machine can check, as functions from a source tree to findings.

A finding is a line of text that begins with the file's name. Each rule takes the root of a tree, so
that test_rules.py can show on small bad trees that every rule is able to fail.
"""

import re
from pathlib import Path

FLOORS = ["base", "proto", "pipeline", "exporter", "receiver", "app"]

# What each floor may include beside itself.
BELOW = {
    "base": [],
    "proto": ["base"],
    "pipeline": ["base", "proto"],
    "exporter": ["base", "proto", "pipeline"],
    "receiver": ["base", "proto", "pipeline"],
    "app": ["base", "proto", "pipeline", "exporter", "receiver"],
}

MAX_FUNCTION_LINES = 60
MAX_PARAMETERS = 5
MAX_FILE_LINES = 450

# Parameters of functions whose shape is decided elsewhere: a library's callbacks, and the calls of a
# disk, which are those of POSIX.
GIVEN = ["nghttp2_session *", "struct disk_file *"]

# Unbounded, locale-dependent, silent where they fail, or not for threads; base/ has what replaces
# most of them, and the others have variants in _r.
BANNED = ["strcpy", "strcat", "sprintf", "vsprintf", "gets", "strtok", "atoi", "atol", "atof",
          "alloca", "system", "strdup", "strndup", "gmtime", "localtime", "ctime", "asctime",
          "rand", "srand", "setenv", "putenv", "unsetenv", "gethostbyname", "inet_ntoa"]

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)

# Comments, texts and characters; what is not one of them is code.
NOT_CODE = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)


def sources(root, folders=FLOORS, suffixes=(".c", ".h")):
    for folder in folders:
        for path in sorted((Path(root) / folder).rglob("*")):
            if path.suffix in suffixes and path.is_file():
                yield path.relative_to(root).as_posix(), path.read_text(encoding="utf-8")


def blank(text):
    """The text with comments and literals blanked out, line for line."""

    def spaces(match):
        return re.sub(r"[^\n]", " ", match.group())

    return NOT_CODE.sub(spaces, text)


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def includes(text):
    """(style, name, line) of each include, those in comments left out."""
    code = re.sub(r"/\*.*?\*/|//[^\n]*",
                  lambda match: re.sub(r"[^\n]", " ", match.group()), text, flags=re.DOTALL)
    for match in INCLUDE.finditer(code):
        yield match.group(1), match.group(2), line_of(code, match.start(1))


def check_floors(root):
    """Includes point down, by full path; a floor knows neither its neighbour nor the tests."""
    findings = []
    for name, text in sources(root):
        floor = name.split("/")[0]
        for style, target, line in includes(text):
            to = target.split("/")[0]
            if style == "<":
                if to in FLOORS and (Path(root) / target).exists():
                    findings.append(f"{name}:{line}: {target} belongs in quotes")
            elif target.endswith(".pb-c.h"):
                continue
            elif to not in FLOORS or "/" not in target:
                findings.append(f"{name}:{line}: {target} is no full path of a floor's header")
            elif to != floor and to not in BELOW[floor]:
                findings.append(f"{name}:{line}: {floor} may not include {to}")
    return findings


def check_no_source_included(root):
    findings = []
    for name, text in sources(root, FLOORS + ["tests"]):
        for _, target, line in includes(text):
            if target.endswith(".c"):
                findings.append(f"{name}:{line}: includes the source {target}")
    return findings


def check_event_loop(root):
    """libuv is the business of receiver and app."""
    findings = []
    for name, text in sources(root):
        for _, target, line in includes(text):
            if (target == "uv.h" or target.startswith("uv/")) and \
                    name.split("/")[0] not in ("receiver", "app"):
                findings.append(f"{name}:{line}: libuv is used in receiver and app only")
    return findings


def module_graph(root):
    """Module (path without suffix) -> modules of the same floor that its files include."""
    graph = {}
    for name, text in sources(root):
        module = name.rsplit(".", 1)[0]
        edges = graph.setdefault(module, set())
        for style, target, _ in includes(text):
            other = target.rsplit(".", 1)[0]
            same_floor = target.split("/")[0] == name.split("/")[0]
            if style == '"' and same_floor and other != module:
                edges.add(other)
    return graph


def find_cycle(graph):
    """One cycle as a list of modules, or None."""
    done, path = set(), []

    def visit(module):
        if module in path:
            return path[path.index(module):] + [module]
        if module in done:
            return None
        path.append(module)
        for other in sorted(graph.get(module, ())):
            cycle = visit(other)
            if cycle:
                return cycle
        path.pop()
        done.add(module)
        return None

    for module in sorted(graph):
        cycle = visit(module)
        if cycle:
            return cycle
    return None


def check_cycles(root):
    """Modules of one floor form no cycle, the includes of sources counted."""
    graph, findings = module_graph(root), []
    while cycle := find_cycle(graph):
        findings.append(f"{cycle[0]}: cycle of modules: {' -> '.join(cycle)}")
        # Look for further cycles without the edge that closed this one.
        graph[cycle[-2]].discard(cycle[-1])
    return findings


def check_banned(root):
    findings = []
    call = re.compile(r"(?<![\w.>])(" + "|".join(BANNED) + r")\s*\(")
    for name, text in sources(root, FLOORS + ["tests"]):
        code = blank(text)
        for match in call.finditer(code):
            findings.append(f"{name}:{line_of(code, match.start())}: {match.group(1)}() is banned")
    return findings


def count_parameters(text):
    depth, count = 0, 1
    for char in text:
        depth += (char in "([{") - (char in ")]}")
        count += char == "," and depth == 0
    return 0 if text.strip() in ("", "void") else count


def functions(text):
    """(name, parameter list, lines of the body, line of the name) of each function defined.

    Relies on the layout that clang-format gives: the body's braces stand alone at the left margin.
    """
    code = blank(text)
    for match in re.finditer(r"^\{$(.*?)^\}$", code, re.DOTALL | re.MULTILINE):
        head = code[:match.start()].rstrip()
        if not head.endswith(")"):
            continue
        depth, at = 0, len(head) - 1
        while at >= 0:
            depth += (head[at] == ")") - (head[at] == "(")
            if depth == 0:
                break
            at -= 1
        name = re.search(r"(\w+)\s*$", head[:at])
        if name:
            lines = match.group(1).strip("\n").count("\n") + 1
            yield name.group(1), head[at + 1:-1], lines, line_of(code, name.start(1))


def check_function_size(root):
    findings = []
    for name, text in sources(root, FLOORS + ["tests"]):
        for function, parameters, lines, line in functions(text):
            if lines > MAX_FUNCTION_LINES:
                findings.append(f"{name}:{line}: {function}() has {lines} lines")
            count = count_parameters(parameters)
            if count > MAX_PARAMETERS and not any(given in parameters for given in GIVEN):
                findings.append(f"{name}:{line}: {function}() has {count} parameters")
    return findings


def check_file_size(root):
    findings = []
    for name, text in sources(root):
        lines = text.count("\n")
        if lines >= MAX_FILE_LINES:
            findings.append(f"{name}: {lines} lines; split it")
    return findings


def check_header_manual(root):
    """A header begins with the comment that explains the module, and has its guard."""
    findings = []
    for name, text in sources(root, suffixes=(".h",)):
        guard = re.sub(r"\W", "_", name).upper()
        if not re.match(r"/\*.{20,}?\*/", text, re.DOTALL):
            findings.append(f"{name}:1: does not begin with a comment about the module")
        if f"#ifndef {guard}\n#define {guard}\n" not in text:
            findings.append(f"{name}: include guard is not {guard}")
    return findings


def check_typedefs(root):
    findings = []
    for name, text in sources(root):
        code = blank(text)
        for match in re.finditer(r"\btypedef\b[^;{]*?\b(\w+_t)\s*;|\}\s*(\w+_t)\s*;", code):
            findings.append(f"{name}:{line_of(code, match.start())}: "
                            f"{match.group(1) or match.group(2)} ends in _t")
    return findings


# The log's level and format may be read by anybody; see base/log.h.
MAY_HAVE_GLOBALS = {"base/log.c"}


def check_globals(root):
    """No variable of file scope is mutable."""
    findings = []
    variable = re.compile(r"^(?:static|extern)\s+(?!inline\b|_Noreturn\b)([^;={(]*?)"
                          r"\b(\w+)\s*(?:\[[^\]]*\]\s*)*(?:=|;)|^static\s+(?:struct|union)\s*\{",
                          re.MULTILINE)
    for name, text in sources(root, suffixes=(".c",)):
        if name in MAY_HAVE_GLOBALS:
            continue
        code = blank(text)
        for match in variable.finditer(code):
            kind = match.group(1) or ""
            is_constant = kind.rstrip().endswith("const") if "*" in kind else "const" in kind
            if not is_constant:
                findings.append(f"{name}:{line_of(code, match.start())}: "
                                f"{match.group(2) or 'structure'} is a mutable global")
    return findings


RULES = [check_floors, check_no_source_included, check_event_loop, check_cycles, check_banned,
         check_function_size, check_file_size, check_header_manual, check_typedefs, check_globals]
