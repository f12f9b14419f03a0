#include "admin/metrics_text.hpp"

#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace forebay::admin {
namespace {

using metrics::Kind;
using metrics::Labels;
using metrics::Series;

Series gauge(std::string name, std::string help, Labels labels, double value) {
  Series series;
  series.name = std::move(name);
  series.help = std::move(help);
  series.labels = std::move(labels);
  series.kind = Kind::gauge;
  series.read = [value] { return value; };
  return series;
}

TEST(MetricsText, SaysHelpAndTypeOnceAName) {
  const std::vector<Series> series{gauge("a", "First.", {{"x", "1"}, {"y", "two"}}, 3),
                                   gauge("a", "First.", {{"x", "2"}}, -4.5),
                                   gauge("b", "Second.", {}, 1e15)};
  EXPECT_EQ(metrics_text(series),
            "# HELP a First.\n"
            "# TYPE a gauge\n"
            "a{x=\"1\",y=\"two\"} 3\n"
            "a{x=\"2\"} -4.5\n"
            "# HELP b Second.\n"
            "# TYPE b gauge\n"
            "b 1000000000000000\n");
}

TEST(MetricsText, EscapesHelpAndLabels) {
  const std::vector<Series> series{gauge("a", "A \\ and\na \"line\".", {{"x", "\\ \"\n"}}, 0)};
  EXPECT_EQ(metrics_text(series),
            "# HELP a A \\\\ and\\na \"line\".\n"
            "# TYPE a gauge\n"
            "a{x=\"\\\\ \\\"\\n\"} 0\n");
}

TEST(MetricsText, WritesNumbersExactly) {
  struct Case {
    double value;
    const char* text;
  };
  for (const Case& c : {Case{0.1, "0.1"}, Case{9007199254740991.0, "9007199254740991"},
                        Case{std::numeric_limits<double>::quiet_NaN(), "NaN"},
                        Case{std::numeric_limits<double>::infinity(), "+Inf"},
                        Case{-std::numeric_limits<double>::infinity(), "-Inf"}}) {
    SCOPED_TRACE(c.text);
    const std::vector<Series> series{gauge("a", "A.", {}, c.value)};
    EXPECT_TRUE(metrics_text(series).ends_with("\na " + std::string{c.text} + "\n"));
  }
}

TEST(MetricsText, AddsUpTheBucketsOfAHistogram) {
  metrics::Histogram histogram;
  histogram.observe(0.0001);
  histogram.observe(0.2);
  histogram.observe(0.2);
  histogram.observe(100);
  Series series;
  series.name = "h";
  series.help = "H.";
  series.labels = {{"x", "1"}};
  series.kind = Kind::histogram;
  series.histogram = &histogram;
  const std::string text = metrics_text({&series, 1});
  for (const char* line :
       {"# TYPE h histogram\n", "\nh_bucket{x=\"1\",le=\"0.0005\"} 1\n",
        "\nh_bucket{x=\"1\",le=\"0.1\"} 1\n", "\nh_bucket{x=\"1\",le=\"0.25\"} 3\n",
        "\nh_bucket{x=\"1\",le=\"60\"} 3\n", "\nh_bucket{x=\"1\",le=\"+Inf\"} 4\n",
        "\nh_sum{x=\"1\"} 100.4001\n", "\nh_count{x=\"1\"} 4\n"})
    EXPECT_NE(text.find(line), std::string::npos) << line << "in\n" << text;
}

}  // namespace
}  // namespace forebay::admin
