#include "admin/metrics_text.hpp"

#include <cmath>
#include <iterator>
#include <string_view>

#include <fmt/format.h>

namespace forebay::admin {
namespace {

using metrics::Histogram;
using metrics::Kind;
using metrics::Labels;
using metrics::Series;

enum class Quotes { kept, escaped };

std::string escape(std::string_view text, Quotes quotes) {
  std::string escaped;
  for (const char c : text) {
    if (c == '\\')
      escaped += "\\\\";
    else if (c == '\n')
      escaped += "\\n";
    else if (c == '"' && quotes == Quotes::escaped)
      escaped += "\\\"";
    else
      escaped += c;
  }
  return escaped;
}

std::string number(double value) {
  if (std::isnan(value))
    return "NaN";
  if (std::isinf(value))
    return value > 0 ? "+Inf" : "-Inf";
  // The shortest text that reads back as the same value: counters stay whole numbers.
  return fmt::format("{}", value);
}

std::string_view type_name(Kind kind) {
  switch (kind) {
    case Kind::counter:
      return "counter";
    case Kind::gauge:
      return "gauge";
    default:
      return "histogram";
  }
}

std::string labels_text(const Labels& labels) {
  std::string text;
  for (const auto& [name, value] : labels)
    text +=
        fmt::format("{}{}=\"{}\"", text.empty() ? "" : ",", name, escape(value, Quotes::escaped));
  return text.empty() ? text : "{" + text + "}";
}

void append_sample(std::string& text, std::string_view name, const Labels& labels,
                   const std::string& value) {
  fmt::format_to(std::back_inserter(text), "{}{} {}\n", name, labels_text(labels), value);
}

void append_histogram(std::string& text, const Series& series) {
  const Histogram& histogram = *series.histogram;
  Labels labels = series.labels;
  labels.emplace_back("le", "");
  // Ours count each bucket alone; the format wants them to add up.
  std::uint64_t count = 0;
  for (std::size_t i = 0; i <= Histogram::kBounds.size(); ++i) {
    count += histogram.bucket(i);
    labels.back().second =
        i < Histogram::kBounds.size() ? number(Histogram::kBounds[i]) : std::string{"+Inf"};
    append_sample(text, series.name + "_bucket", labels, std::to_string(count));
  }
  append_sample(text, series.name + "_sum", series.labels, number(histogram.sum()));
  append_sample(text, series.name + "_count", series.labels, std::to_string(count));
}

}  // namespace

std::string metrics_text(std::span<const Series> series) {
  std::string text;
  std::string_view previous;
  for (const Series& one : series) {
    if (one.name != previous) {
      fmt::format_to(std::back_inserter(text), "# HELP {} {}\n# TYPE {} {}\n", one.name,
                     escape(one.help, Quotes::kept), one.name, type_name(one.kind));
      previous = one.name;
    }
    if (one.kind == Kind::histogram)
      append_histogram(text, one);
    else
      append_sample(text, one.name, one.labels, number(one.read()));
  }
  return text;
}

}  // namespace forebay::admin
