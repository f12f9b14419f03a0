#include "admin/status_page.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

namespace forebay::admin {
namespace {

namespace json = boost::json;

constexpr std::string_view kStyle =
    "body{font:15px/1.5 system-ui,sans-serif;margin:2em auto;max-width:60em;padding:0 1em;"
    "color:#1b2a33;background:#fff}"
    "table{border-collapse:collapse;width:100%}"
    "td,th{border-top:1px solid #d5dde1;padding:.3em .6em;text-align:left;vertical-align:top;"
    "font-variant-numeric:tabular-nums}"
    "th{font-weight:600;width:16em}nav a{margin-right:1em}"
    "@media(prefers-color-scheme:dark){body{color:#dce6ea;background:#11191e}"
    "td,th{border-color:#33434c}a{color:#8cc8ff}}";

std::string escape(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

void append(std::string& page, const json::value& value) {
  if (const json::object* object = value.if_object()) {
    page += "<table>";
    for (const auto& [name, member] : *object) {
      page += "<tr><th>" + escape(name) + "</th><td>";
      append(page, member);
      page += "</td></tr>";
    }
    page += "</table>";
  } else if (const json::array* array = value.if_array()) {
    for (const json::value& element : *array) {
      append(page, element);
      page += "<br>";
    }
  } else if (const json::string* text = value.if_string()) {
    page += escape(*text);
  } else {
    page += json::serialize(value);
  }
}

}  // namespace

std::string status_page(std::string_view version, std::string_view status_json) {
  std::string page = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">";
  page += "<meta name=\"viewport\" content=\"width=device-width\"><title>Forebay</title><style>";
  page += kStyle;
  page += "</style><h1>Forebay " + escape(version) + "</h1>";
  page += "<nav><a href=\"/metrics\">metrics</a><a href=\"/status.json\">status.json</a>";
  page += "<a href=\"/healthz\">healthz</a><a href=\"/readyz\">readyz</a></nav>";
  json::error_code ec;
  const json::value status = json::parse(status_json, ec);
  if (ec)
    page += "<pre>" + escape(status_json) + "</pre>";
  else
    append(page, status);
  page += "</html>\n";
  return page;
}

}  // namespace forebay::admin
