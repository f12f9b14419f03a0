#!/usr/bin/env python3
"""Each rule of check_style.py fails on a file that breaks it; a tree that breaks none passes."""
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
sys.dont_write_bytecode = True
import check_style  # noqa: E402

GOOD = {
    "src/io/pool.cpp": "int x;\n" * check_style.LINES_MAX,
    "tests/unit/io/pool_test.cpp": "int x;\n" * check_style.TEST_LINES_MAX,
    "tests/e2e/test_read.py": "# " + "é" * 98 + "\n",
    "src/runtime/worker.cpp": "std::this_thread::sleep_for(kPoll);\n",
    "src/base/units.cpp": "auto now = std::chrono::system_clock::now();\n",
    check_style.SPAWN_HOME: "boost::asio::co_spawn(context_, f(), done);\n",
}
# name, file, its text, what the one error must say
BROKEN = [
    ("long file", "src/io/x.cpp", "\n" * 601, "601 lines"),
    ("long header", "include/forebay/io/x.hpp", "\n" * 601, "601 lines"),
    ("long test", "tests/unit/io/x_test.cpp", "\n" * 901, "901 lines"),
    ("long line", "src/io/x.cpp", "x" * 101 + "\n", "101 columns"),
    ("long line of shell", "deploy/x.sh", "x" * 101 + "\n", "101 columns"),
    ("long line without a suffix", ".ci/run", "x" * 101 + "\n", "101 columns"),
    ("sleep_for in a test", "tests/unit/io/x_test.cpp", "std::this_thread::sleep_for(1s);\n",
     "not for time"),
    ("sleep_until in a test", "tests/unit/io/x_test.cpp", "this_thread::sleep_until(t);\n",
     "not for time"),
    ("sleep in a test", "tests/unit/io/x_test.cpp", "sleep(1);\n", "not for time"),
    ("usleep in a test", "tests/unit/io/x_test.cpp", "::usleep(100);\n", "not for time"),
    ("wall clock in a test", "tests/unit/io/x_test.cpp", "x = std::chrono::system_clock::now();\n",
     "passes the time in"),
    ("C clock in a test", "tests/unit/io/x_test.cpp", "auto x = time(nullptr);\n",
     "passes the time in"),
    ("co_spawn elsewhere", "src/net/x.cpp", "asio::co_spawn(ex, f(), h);\n", "the only co_spawn"),
    ("co_spawn in a header", "include/forebay/net/x.hpp", "co_spawn(ex, f(), h);\n",
     "the only co_spawn"),
    ("detached", "src/net/x.cpp", "f(asio::detached);\n", "swallows"),
    ("exempt from clang-tidy", "src/net/x.cpp", "int x;  // NOLINT\n", "no exemptions"),
    ("exempt from clang-format", "src/net/x.cpp", "// clang-format off\n", "no exemptions"),
    ("left for later", "src/net/x.cpp", "// TODO: later\n", "open an issue"),
]


class CheckStyle(unittest.TestCase):
    def errors_of(self, files):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for name, text in files.items():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(text, encoding="utf-8")
            return check_style.check(root)

    def test_a_tree_that_breaks_no_rule_passes(self):
        self.assertEqual(self.errors_of(GOOD), [])

    def test_each_rule_can_fail(self):
        for name, path, text, expected in BROKEN:
            with self.subTest(name):
                errors = self.errors_of({**GOOD, path: text})
                self.assertEqual(len(errors), 1, errors)
                self.assertIn(expected, errors[0])
                self.assertIn(path, errors[0])

    def test_an_empty_tree_is_no_pass(self):
        self.assertIn("nothing was checked", self.errors_of({})[0])


if __name__ == "__main__":
    unittest.main()
