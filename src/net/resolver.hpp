#pragma once
// Addresses of host names, remembered for a few seconds by each worker.
#include <forebay/base/result.hpp>
#include <forebay/runtime/deadline.hpp>
#include <forebay/runtime/task.hpp>

#include <string>
#include <vector>

#include <boost/asio/ip/address.hpp>

namespace forebay::net {

using Addresses = std::vector<boost::asio::ip::address>;

/// An address literal as it is, a name through the system's resolver; tasks that ask for one name
/// at the same time share the question. At least one address. Errc::unavailable, Errc::timeout
/// (the question goes on and its answer is remembered). Worker threads only.
Task<Result<Addresses>> resolve(std::string host, Deadline deadline);

}  // namespace forebay::net
