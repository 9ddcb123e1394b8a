"""The tree keeps the house rules, and each rule is able to fail."""

from pathlib import Path

import pytest
import rules

ROOT = Path(__file__).resolve().parents[2]

MANUAL = "/*\n * A module that exists to be looked at.\n */\n"


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
def test_the_tree_keeps_the_rule(rule):
    findings = rule(ROOT)
    assert not findings, "\n" + "\n".join(findings)


def findings_in(tmp_path, rule, files):
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return rule(tmp_path)


BAD = {
    "include points up": (rules.check_floors, {"base/a.c": '#include "proto/otlp.h"\n'}),
    "receiver knows exporter": (rules.check_floors,
                                {"receiver/a.c": '#include "exporter/outbox.h"\n'}),
    "exporter knows receiver": (rules.check_floors,
                                {"exporter/a.h": '#include "receiver/intake.h"\n'}),
    "floor knows tests": (rules.check_floors, {"app/a.c": '#include "tests/unit.h"\n'}),
    "include without path": (rules.check_floors, {"base/a.c": '#include "slice.h"\n'}),
    "own header in angles": (rules.check_floors,
                             {"base/a.c": "#include <base/a.h>\n", "base/a.h": MANUAL}),
    "source is included": (rules.check_no_source_included,
                           {"tests/a_test.c": '#include "base/a.c"\n'}),
    "event loop in exporter": (rules.check_event_loop, {"exporter/a.c": "#include <uv.h>\n"}),
    "cycle through headers": (rules.check_cycles, {"base/a.h": '#include "base/b.h"\n',
                                                   "base/b.h": '#include "base/a.h"\n'}),
    "cycle through sources": (rules.check_cycles, {"base/a.c": '#include "base/b.h"\n',
                                                   "base/b.c": '#include "base/c.h"\n',
                                                   "base/c.c": '#include "base/a.h"\n'}),
    "banned call": (rules.check_banned, {"base/a.c": "void f(char *t)\n{\n    strcpy(t, x);\n}\n"}),
    "long function": (rules.check_function_size,
                      {"base/a.c": "void f(void)\n{\n" + "    g();\n" * 61 + "}\n"}),
    "six parameters": (rules.check_function_size,
                       {"base/a.c": "void f(int a, int b, int c,\n       int (*d)(int, int), "
                                    "int e, int g)\n{\n    h();\n}\n"}),
    "long file": (rules.check_file_size, {"base/a.c": "int x;\n" * 450}),
    "header without manual": (rules.check_header_manual,
                              {"base/a.h": "#ifndef BASE_A_H\n#define BASE_A_H\n#endif\n"}),
    "wrong guard": (rules.check_header_manual,
                    {"base/a.h": MANUAL + "#ifndef A_H\n#define A_H\n#endif\n"}),
    "typedef in _t": (rules.check_typedefs, {"base/a.h": "typedef struct a a_t;\n"}),
    "mutable global": (rules.check_globals, {"base/a.c": "static int count;\n"}),
    "mutable pointer": (rules.check_globals, {"base/a.c": "static const char *name = 0;\n"}),
    "mutable structure": (rules.check_globals, {"base/a.c": "static struct {\n    int x;\n} a;\n"}),
    "mutable table": (rules.check_globals, {"base/a.c": "static struct row rows[] = {\n};\n"}),
}


@pytest.mark.parametrize("case", BAD)
def test_a_breach_is_found(case, tmp_path):
    rule, files = BAD[case]
    findings = findings_in(tmp_path, rule, files)
    assert len(findings) == 1, findings
    assert any(findings[0].startswith(name.rsplit(".", 1)[0]) for name in files)


GOOD = {
    "down and across": (rules.check_floors, {"app/a.c": '#include "receiver/a.h"\n'
                                                        '#include "exporter/a.h"\n'
                                                        '#include "app/b.h"\n#include <uv.h>\n'}),
    "generated header": (rules.check_floors, {"proto/a.c": '#include "metrics.pb-c.h"\n'}),
    "include in a comment": (rules.check_floors,
                             {"base/a.c": '/*\n#include "app/a.h"\n*/\n'}),
    "module and its own header": (rules.check_cycles, {"base/a.c": '#include "base/a.h"\n',
                                                       "base/a.h": MANUAL}),
    "banned word in a comment": (rules.check_banned, {"base/a.c": "/* not strcpy(a, b) */\n"}),
    "banned word in a text": (rules.check_banned, {"base/a.c": 'f("strcpy(a, b)");\n'}),
    "member of that name": (rules.check_banned, {"base/a.c": "a->system(b);\n"}),
    "sixty lines, five parameters": (rules.check_function_size,
                                     {"base/a.c": "void f(int a, int b, int c, int d, int e)\n"
                                                  "{\n" + "    g();\n" * 60 + "}\n"}),
    "long initialiser": (rules.check_function_size,
                         {"base/a.c": "static const int a[] = {\n" + "    1,\n" * 99 + "};\n"}),
    "callback of a library": (rules.check_function_size,
                              {"receiver/a.c": "int f(nghttp2_session *a, int b, int c, int d, "
                                               "int e, int g)\n{\n    h();\n}\n"}),
    "constant tables": (rules.check_globals,
                        {"base/a.c": "static const int a = 1;\n"
                                     "static const char *const names[] = {\n};\n"
                                     "static inline int f(void);\nstatic int g(int a);\n"
                                     "static const struct {\n    int x;\n} rows[] = {\n};\n"}),
}


@pytest.mark.parametrize("case", GOOD)
def test_what_is_allowed_is_not_found(case, tmp_path):
    rule, files = GOOD[case]
    assert findings_in(tmp_path, rule, files) == []
