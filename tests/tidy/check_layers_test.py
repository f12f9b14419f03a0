#!/usr/bin/env python3
"""Each rule of check_layers.py fails on a tree that breaks it; a tree that breaks none passes."""
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
sys.dont_write_bytecode = True
import check_layers  # noqa: E402

LAYERS = {
    "base": [], "io": ["base"], "net": ["base"], "proxy": ["io", "net"], "config": ["proxy"],
    "app": ["config"],
}
GOOD = {
    "include/forebay/base/units.hpp": "#include <cstdint>\n",
    "include/forebay/io/pool.hpp": "#include <forebay/base/units.hpp>\n",
    "include/forebay/net/stream.hpp": "#include <boost/asio/awaitable.hpp>\n",
    "include/forebay/proxy/session.hpp": "#include <forebay/base/units.hpp>\n",
    "include/forebay/config/schema.hpp": "#include <forebay/proxy/session.hpp>\n",
    "src/io/pool.cpp": '#include "io/ring.hpp"\n\n#include <liburing.h>\n',
    "src/io/ring.hpp": "#pragma once\n",
    "src/net/stream.cpp": "#include <forebay/net/stream.hpp>\n#include <boost/beast/core.hpp>\n",
    "src/config/load.cpp": "#include <yaml-cpp/yaml.h>\n",
    "src/app/main.cpp": "#include <forebay/config/schema.hpp>\n#include <forebay/io/pool.hpp>\n",
}
# name, file, its text, what the one error must say
BROKEN = [
    ("arrow up", "src/base/x.cpp", "#include <forebay/io/pool.hpp>\n", "base includes io"),
    ("arrow sideways", "src/io/x.cpp", "#include <forebay/net/stream.hpp>\n", "io includes net"),
    ("arrow up in a public header", "include/forebay/io/x.hpp",
     "#include <forebay/proxy/session.hpp>\n", "io includes proxy"),
    ("indented include", "src/base/x.cpp", "  #  include <forebay/io/pool.hpp>\n",
     "base includes io"),
    ("room without a target", "src/io/x.cpp", "#include <forebay/gone/x.hpp>\n", "no room"),
    ("public header in quotes", "src/io/x.cpp", '#include "forebay/base/units.hpp"\n',
     "public header"),
    ("private header of another room", "src/proxy/x.cpp", '#include "io/ring.hpp"\n',
     "a private header of io"),
    ("private header in angle brackets", "src/proxy/x.cpp", "#include <io/ring.hpp>\n",
     "private header"),
    ("private header without its room", "src/io/x.cpp", '#include "ring.hpp"\n',
     "does not name its room"),
    ("public header leaks a private one", "include/forebay/io/x.hpp", '#include "io/ring.hpp"\n',
     "public header includes the private"),
    ("config below app", "src/proxy/x.cpp", "#include <forebay/config/schema.hpp>\n",
     "only app may"),
    ("Beast outside net", "src/proxy/x.cpp", "#include <boost/beast/http.hpp>\n", "Beast"),
    ("Beast in a public header", "include/forebay/net/x.hpp", "#include <boost/beast/http.hpp>\n",
     "Beast"),
    ("liburing in a second file", "src/io/x.cpp", "#include <liburing.h>\n", "more than one file"),
    ("yaml-cpp in a second file", "src/config/x.cpp", "#include <yaml-cpp/yaml.h>\n",
     "more than one file"),
    ("file outside every room", "src/x.cpp", "\n", "not in the folder of a room"),
    ("folder that is no room", "src/attic/x.cpp", "\n", "not in the folder of a room"),
]


class CheckLayers(unittest.TestCase):
    def errors_of(self, files, layers=None):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for name, text in files.items():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(text)
            return check_layers.check(root, layers or LAYERS)

    def test_a_tree_that_breaks_no_rule_passes(self):
        self.assertEqual(self.errors_of(GOOD), [])

    def test_each_rule_can_fail(self):
        for name, path, text, expected in BROKEN:
            with self.subTest(name):
                errors = self.errors_of({**GOOD, path: text})
                self.assertEqual(len(errors), 1, errors)
                self.assertIn(expected, errors[0])
                self.assertIn(path, errors[0])

    def test_hidden_libraries_stay_out_of_headers(self):
        for prefix, path in (("liburing.h", "src/io/ring.hpp"),
                             ("yaml-cpp/yaml.h", "include/forebay/config/schema.hpp")):
            with self.subTest(prefix):
                files = {name: "\n" for name in GOOD} | {path: f"#include <{prefix}>\n"}
                errors = self.errors_of(files)
                self.assertEqual(len(errors), 1, errors)
                self.assertIn("belongs in one .cpp", errors[0])

    def test_the_closure_is_transitive(self):
        allowed = check_layers.allowed_rooms(LAYERS)
        self.assertEqual(allowed["proxy"], {"proxy", "io", "net", "base"})

    def test_an_empty_tree_is_no_pass(self):
        self.assertIn("nothing was checked", self.errors_of({})[0])

    def test_rooms_in_a_circle_are_refused(self):
        with self.assertRaisesRegex(ValueError, "circle"):
            self.errors_of(GOOD, {"base": ["io"], "io": ["base"]})

    def test_a_name_that_is_no_room_is_refused(self):
        with self.assertRaisesRegex(ValueError, "no room"):
            self.errors_of(GOOD, {"base": ["attic"]})


if __name__ == "__main__":
    unittest.main()
