#pragma once
// The coroutine type of the project and the one completion token it uses. Arguments
// are taken by value, or outlive the task: a temporary in the call dies before its first step.
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace forebay {

/// A coroutine. Lazy: nothing runs until it is awaited or spawned.
template <class T>
using Task = boost::asio::awaitable<T>;

/// `auto [ec, n] = co_await socket.async_read_some(buffer, use_task);`
inline constexpr boost::asio::as_tuple_t<boost::asio::use_awaitable_t<>> use_task{};

}  // namespace forebay
