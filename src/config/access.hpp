#pragma once
// Accessors of the schema's table, made from pointers to members.
#include "config/schema.hpp"

#include <algorithm>
#include <array>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace forebay::config {

/// The names of an enumeration's members, in the order of the members.
template <class Enum>
struct Names;

template <>
struct Names<io::EngineKind> {
  static constexpr std::array<std::string_view, 3> kAll{"auto", "uring", "pread"};
};
template <>
struct Names<proxy::PrestageTrigger> {
  static constexpr std::array<std::string_view, 3> kAll{"any_head", "ranged_head", "off"};
};

template <>
struct Names<proxy::AuthMode> {
  static constexpr std::array<std::string_view, 2> kAll{"verify", "passthrough"};
};
template <>
struct Names<proxy::AnonymousPolicy> {
  static constexpr std::array<std::string_view, 2> kAll{"forward", "deny"};
};
template <>
struct Names<proxy::PathStyle> {
  static constexpr std::array<std::string_view, 2> kAll{"allow", "reject"};
};
template <>
struct Names<proxy::ForwardedFor> {
  static constexpr std::array<std::string_view, 2> kAll{"off", "set"};
};
template <>
struct Names<s3::TrailerPolicy> {
  static constexpr std::array<std::string_view, 2> kAll{"keep", "strip"};
};

template <>
struct Names<origin::CredentialSource> {
  static constexpr std::array<std::string_view, 7> kAll{
      "none", "static", "environment", "file", "web_identity", "container", "instance_metadata"};
};

template <class Enum>
std::vector<std::string_view> names_of() {
  return {Names<Enum>::kAll.begin(), Names<Enum>::kAll.end()};
}

template <class T>
Value to_value(const T& member) {
  if constexpr (std::is_enum_v<T>)
    return std::string{Names<T>::kAll[static_cast<std::size_t>(member)]};
  else if constexpr (std::unsigned_integral<T> && !std::same_as<T, bool>)
    return std::uint64_t{member};
  else
    return member;
}

template <class T>
void from_value(const Value& value, T& member) {
  if constexpr (std::is_enum_v<T>) {
    const auto& names = Names<T>::kAll;
    const auto found = std::find(names.begin(), names.end(), std::get<std::string>(value));
    member = static_cast<T>(found - names.begin());
  } else if constexpr (std::same_as<T, std::string>) {
    member = text_of(value);
  } else if constexpr (std::unsigned_integral<T> && !std::same_as<T, bool>) {
    member = static_cast<T>(std::get<std::uint64_t>(value));
  } else {
    member = std::get<T>(value);
  }
}

/// `field<&Config::origin, &origin::OriginConfig::region>()`
template <auto... Path>
Access field() {
  return {[](const Config& config) { return to_value((config.*....*Path)); },
          [](Config& config, const Value& value) { from_value(value, (config.*....*Path)); }};
}

}  // namespace forebay::config
