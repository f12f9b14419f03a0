#include <forebay/base/metrics.hpp>

#include <gtest/gtest.h>

namespace forebay::metrics {
namespace {

TEST(Metrics, TheSameNameAndLabelsAreTheSameMetric) {
  Registry registry;
  Counter& a = registry.counter("x_total", "help", {{"k", "1"}});
  Counter& b = registry.counter("x_total", "help", {{"k", "2"}});
  a.add(3);
  registry.counter("x_total", "help", {{"k", "1"}}).add();
  EXPECT_EQ(a.value(), 4U);
  EXPECT_EQ(b.value(), 0U);
}

TEST(Metrics, SnapshotGroupsByName) {
  Registry registry;
  registry.counter("b_total", "", {}).add(2);
  registry.gauge("a", "").set(-1);
  registry.gauge_function("c", "", [] { return 2.5; });
  const auto series = registry.snapshot();
  ASSERT_EQ(series.size(), 3U);
  EXPECT_EQ(series[0].name, "a");
  EXPECT_EQ(series[0].read(), -1);
  EXPECT_EQ(series[1].read(), 2);
  EXPECT_EQ(series[2].read(), 2.5);
}

TEST(Metrics, ObservationsFallIntoTheBucketThatHoldsThem) {
  Histogram histogram;
  histogram.observe(0.0005);
  histogram.observe(0.0006);
  histogram.observe(100);
  EXPECT_EQ(histogram.bucket(0), 1U);
  EXPECT_EQ(histogram.bucket(1), 1U);
  EXPECT_EQ(histogram.bucket(Histogram::kBounds.size()), 1U);
  EXPECT_NEAR(histogram.sum(), 100.0011, 1e-6);
}

}  // namespace
}  // namespace forebay::metrics
