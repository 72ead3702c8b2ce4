#include "bench/load_client.h"

#include <array>
#include <cstring>
#include <deque>
#include <optional>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "bench/child.h"
#include "bench/signed_requests.h"

namespace kms::bench {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using tcp = asio::ip::tcp;
using boost::system::error_code;

constexpr std::size_t kAnswerBytesMax = 64 * 1024;
constexpr std::size_t kSamplesMax = 10'000;
constexpr auto kReconnectPause = std::chrono::milliseconds(50);

struct Due {
  std::uint64_t number = 0;
  double at = 0;  // seconds, as clock_seconds
};

struct Connection {
  Connection(asio::io_context& context, std::size_t node_in) : socket(context), pause(context), node(node_in) {}
  tcp::socket socket;
  asio::steady_timer pause;
  std::size_t node;
  bool is_connected = false;
  std::optional<Due> busy;
  double sent_at = 0;
  std::uint64_t use = 0;  // a completion of an earlier one means nothing any more
  std::array<char, kAnswerBytesMax> input{};
  std::size_t filled = 0;
  std::size_t answer_bytes = 0;
  std::optional<http::response_parser<http::string_body>> parser;
};

std::chrono::steady_clock::time_point time_of(double seconds) {
  return std::chrono::steady_clock::time_point(
      std::chrono::duration_cast<std::chrono::steady_clock::duration>(std::chrono::duration<double>(seconds)));
}

class Load {
 public:
  Load(const LoadPlan& plan, const SignedRequests& requests, const LoadMarks& marks)
      : plan_(plan), requests_(requests), marks_(marks) {}
  Result<LoadAnswers> run();

 private:
  Result<void> resolve();
  Result<void> connect_all();
  void begin();
  void connect(Connection& connection);
  void became_idle(Connection& connection);
  void send(Connection& connection, Due due);
  void read(Connection& connection);
  void ended(Connection& connection, error_code failure);
  void received(Connection& connection);
  void answered(Connection& connection);
  void broke(Connection& connection, const std::string& why);
  void schedule();
  void dispatch();
  void watch();
  void end_if_drained();
  void count(double due, std::uint64_t LoadAnswers::Second::*kind);
  bool is_counted(double due) const { return due >= counts_from_ && due < counts_until_; }
  bool is_over() const { return clock_seconds() >= counts_until_; }

  const LoadPlan& plan_;
  const SignedRequests& requests_;
  const LoadMarks& marks_;
  LoadAnswers out_;
  asio::io_context context_{1};
  std::vector<tcp::endpoint> endpoints_;
  std::vector<std::string> host_fields_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::deque<Connection*> idle_;  // open loop
  std::deque<Due> waiting_;       // due, without a connection so far
  asio::steady_timer due_timer_{context_}, watch_timer_{context_}, mark_timer_{context_};
  std::uint64_t next_ = 0;
  bool is_running_ = false;
  double began_ = 0, counts_from_ = 0, counts_until_ = 0;
};

Result<void> Load::resolve() {
  tcp::resolver resolver(context_);
  for (const sdk::NodeUrl& url : plan_.urls) {
    error_code failure;
    auto found = resolver.resolve(url.host, std::to_string(url.port), failure);
    if (failure || found.empty()) return error("cannot find the host of " + url.text() + ": " + failure.message());
    endpoints_.push_back(found.begin()->endpoint());
    host_fields_.push_back("Host: " + url.text().substr(std::string_view("http://").size()) + "\r\n");
  }
  return {};
}

// Before the clock starts, and blocking: a wrong URL is an error at once.
Result<void> Load::connect_all() {
  std::string failures;
  std::size_t good = 0;
  for (std::size_t i = 0; i < plan_.clients; ++i) {
    connections_.push_back(std::make_unique<Connection>(context_, i % endpoints_.size()));
    Connection& connection = *connections_.back();
    error_code failure;
    connection.socket.connect(endpoints_[connection.node], failure);
    if (failure) {
      connection.socket.close();
      if (i < endpoints_.size()) failures += " " + plan_.urls[connection.node].text() + ": " + failure.message() + ";";
      continue;
    }
    connection.is_connected = true;
    connection.socket.set_option(tcp::no_delay(true), failure);
    connection.socket.non_blocking(true, failure);
    ++good;
  }
  if (good == 0) return error("no connection:" + failures + " are these the URLs of running nodes?");
  return {};
}

Result<LoadAnswers> Load::run() {
  if (auto found = resolve(); !found) return found.error();
  if (auto connected = connect_all(); !connected) return connected.error();
  out_.timeline.resize(static_cast<std::size_t>(plan_.seconds + 0.999));
  out_.seconds = plan_.seconds;
  is_running_ = true;
  began_ = clock_seconds();
  counts_from_ = began_ + plan_.warm_up_seconds;
  counts_until_ = counts_from_ + plan_.seconds;
  mark_timer_.expires_at(time_of(counts_from_));
  mark_timer_.async_wait([this](error_code) {
    marks_.began();
    mark_timer_.expires_at(time_of(counts_until_));
    mark_timer_.async_wait([this](error_code) {
      marks_.ended();
      end_if_drained();
    });
  });
  watch();
  for (auto& connection : connections_) {
    if (!connection->is_connected) {
      connect(*connection);
      continue;
    }
    read(*connection);
    became_idle(*connection);
  }
  if (plan_.rate) schedule();
  context_.run();
  return std::move(out_);
}

void Load::connect(Connection& connection) {
  if (!is_running_) return;
  connection.pause.expires_after(kReconnectPause);
  connection.pause.async_wait([this, &connection](error_code stopped) {
    if (stopped || !is_running_) return;
    connection.socket.async_connect(endpoints_[connection.node], [this, &connection](error_code failure) {
      if (!is_running_) return;
      if (failure) {
        connection.socket.close();
        // A closed loop's client is one that asks and gets nothing; in an open loop others serve what is due.
        const double now = clock_seconds();
        if (!plan_.rate && !is_over()) {
          if (is_counted(now)) ++out_.failures["cannot connect: " + failure.message()];
          count(now, &LoadAnswers::Second::failed);
        }
        return connect(connection);
      }
      error_code ignored;
      connection.socket.set_option(tcp::no_delay(true), ignored);
      connection.socket.non_blocking(true, ignored);
      connection.is_connected = true;
      connection.filled = 0;
      read(connection);
      became_idle(connection);
    });
  });
}

void Load::became_idle(Connection& connection) {
  if (plan_.rate) {
    idle_.push_back(&connection);
    return dispatch();
  }
  if (is_over()) return end_if_drained();
  send(connection, {next_++, clock_seconds()});
}

void Load::schedule() {
  const double now = clock_seconds();
  double at = began_;
  for (;; ++next_) {
    at = began_ + static_cast<double>(next_) / *plan_.rate;
    if (at > now || at >= counts_until_) break;
    waiting_.push_back({next_, at});
  }
  dispatch();
  if (at >= counts_until_) return;
  due_timer_.expires_at(time_of(at));
  due_timer_.async_wait([this](error_code stopped) {
    if (!stopped) schedule();
  });
}

void Load::dispatch() {
  while (!waiting_.empty() && !idle_.empty()) {
    Connection& connection = *idle_.front();
    idle_.pop_front();
    if (!connection.is_connected) continue;
    const Due due = waiting_.front();
    waiting_.pop_front();
    send(connection, due);
  }
  end_if_drained();
}

void Load::send(Connection& connection, Due due) {
  connection.busy = due;
  connection.sent_at = clock_seconds();
  connection.answer_bytes = 0;
  connection.parser.emplace();
  connection.parser->eager(true);
  connection.parser->body_limit(kAnswerBytesMax);
  const std::size_t i = due.number % requests_.size();
  const std::string_view line = requests_.request_line(i), host = host_fields_[connection.node],
                         rest = requests_.rest(i);
  const std::array<asio::const_buffer, 3> buffers{asio::buffer(line.data(), line.size()),
                                                  asio::buffer(host.data(), host.size()),
                                                  asio::buffer(rest.data(), rest.size())};
  out_.request_bytes = line.size() + host.size() + rest.size();
  error_code failure;
  // A kilobyte or two into the empty buffer of a connection without traffic: it goes whole or not at all.
  const std::size_t sent = connection.socket.send(buffers, 0, failure);
  if (!failure && sent != out_.request_bytes) failure = asio::error::no_buffer_space;
  if (failure) broke(connection, "cannot send: " + failure.message());
}

// Always, also between two requests: a connection that the other side closes is replaced before it is used.
void Load::read(Connection& connection) {
  const std::uint64_t use = connection.use;
  auto space = asio::buffer(connection.input.data() + connection.filled, connection.input.size() - connection.filled);
  connection.socket.async_read_some(space, [this, &connection, use](error_code failure, std::size_t size) {
    if (use != connection.use || !is_running_) return;
    if (failure) return ended(connection, failure);
    connection.filled += size;
    connection.answer_bytes += size;
    received(connection);
    if (use == connection.use && is_running_) read(connection);
  });
}

void Load::ended(Connection& connection, error_code failure) {
  auto& parser = connection.parser;
  if (failure == asio::error::eof && connection.busy && parser->need_eof() && parser->got_some()) {
    error_code end;
    parser->put_eof(end);
    if (!end) return answered(connection);
  }
  broke(connection, "connection lost: " + failure.message());
}

void Load::received(Connection& connection) {
  if (!connection.busy) return broke(connection, "an answer that nobody asked for");
  auto& parser = *connection.parser;
  std::size_t used = 0;
  while (!parser.is_done() && used < connection.filled) {
    error_code failure;
    const std::size_t taken =
        parser.put(asio::buffer(connection.input.data() + used, connection.filled - used), failure);
    used += taken;
    if (failure && failure != http::error::need_more) {
      return broke(connection, "not HTTP: " + failure.message());
    }
    if (failure == http::error::need_more || taken == 0) break;
  }
  std::memmove(connection.input.data(), connection.input.data() + used, connection.filled - used);
  connection.filled -= used;
  if (parser.is_done()) return answered(connection);
  if (connection.filled == connection.input.size()) broke(connection, "the answer's header is too long");
}

void Load::count(double due, std::uint64_t LoadAnswers::Second::*kind) {
  if (!is_counted(due)) return;
  auto second = static_cast<std::size_t>(due - counts_from_);
  LoadAnswers::Second& at = out_.timeline[std::min(second, out_.timeline.size() - 1)];
  ++(at.*kind);
  if (kind == &LoadAnswers::Second::ok) ++out_.ok;
  if (kind == &LoadAnswers::Second::refused) ++out_.refused;
  if (kind == &LoadAnswers::Second::failed) ++out_.failed;
}

void Load::answered(Connection& connection) {
  const Due due = *connection.busy;
  connection.busy.reset();
  const double now = clock_seconds();
  const auto ms = static_cast<float>((now - due.at) * 1000);
  auto& message = connection.parser->get();
  const int status = static_cast<int>(message.result_int());
  if (is_counted(due.at)) {
    ++out_.statuses[status];
    if (status == 200) out_.ok_ms.push_back(ms);
    if (status == 429 || status == 503) out_.refused_ms.push_back(ms);
  }
  if (status == 200) {
    count(due.at, &LoadAnswers::Second::ok);
    if (is_counted(now)) ++out_.answers_in_time;
    out_.response_bytes = connection.answer_bytes;
    const std::size_t i = due.number % requests_.size();
    if (is_counted(due.at) && requests_.is_checked(i) && out_.samples.size() < kSamplesMax) {
      out_.samples.push_back({i, plan_.urls[connection.node].text(), std::move(message.body())});
    }
  } else {
    count(due.at, status == 429 || status == 503 ? &LoadAnswers::Second::refused : &LoadAnswers::Second::failed);
  }
  if (message.keep_alive()) return became_idle(connection);
  connection.is_connected = false;
  ++connection.use;
  connection.socket.close();
  connect(connection);
  end_if_drained();
}

void Load::broke(Connection& connection, const std::string& why) {
  if (connection.busy) {
    if (is_counted(connection.busy->at) && (out_.failures.size() < 64 || out_.failures.contains(why))) {
      ++out_.failures[why];
    }
    count(connection.busy->at, &LoadAnswers::Second::failed);
  }
  connection.busy.reset();
  connection.is_connected = false;
  ++connection.use;
  connection.socket.close();
  connect(connection);
  end_if_drained();
}

// Ends what takes too long: on its way, or due without a connection.
void Load::watch() {
  watch_timer_.expires_after(std::chrono::milliseconds(200));
  watch_timer_.async_wait([this](error_code stopped) {
    if (stopped || !is_running_) return;
    const double long_ago = clock_seconds() - plan_.answer_seconds_max;
    for (auto& connection : connections_) {
      if (connection->busy && connection->sent_at < long_ago) broke(*connection, "no answer in time");
    }
    while (!waiting_.empty() && waiting_.front().at < long_ago) {
      if (is_counted(waiting_.front().at)) ++out_.failures["found no connection in time"];
      count(waiting_.front().at, &LoadAnswers::Second::failed);
      waiting_.pop_front();
    }
    if (is_running_) end_if_drained();
    if (is_running_) watch();
  });
}

void Load::end_if_drained() {
  if (!is_running_ || !is_over() || !waiting_.empty()) return;
  if (plan_.rate && began_ + static_cast<double>(next_) / *plan_.rate < counts_until_) return;
  for (const auto& connection : connections_) {
    if (connection->busy) return;
  }
  if (mark_timer_.expiry() > std::chrono::steady_clock::now()) return;
  is_running_ = false;
  context_.stop();
}

}  // namespace

Result<LoadAnswers> run_load(const LoadPlan& plan, const SignedRequests& requests, const LoadMarks& marks) {
  Load load(plan, requests, marks);
  return load.run();
}

}  // namespace kms::bench
