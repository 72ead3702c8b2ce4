#include "tests/sim/program/cost.h"

#include <cstdio>
#include <ctime>
#include <numeric>

#include "crypto/dleq.h"
#include "crypto/ecdsa.h"
#include "crypto/schnorr.h"
#include "tests/sim/program/crypto_memo.h"
#include "tests/sim/program/stage.h"

namespace kms::sim {
namespace {

constexpr Duration kOneWay = 50ms;
// Of prekeys in an epoch: one for the ceremony, two for repairs.
constexpr double kWindows = 3;

// Milliseconds of one call: the mean, as what it is compared with is a sum over all calls, lucky or not.
template <class Call>
double cost_of_call(const Call& call) {
  constexpr int kCalls = 1000;
  timespec began{}, ended{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &began);
  for (int i = 0; i < kCalls; ++i) call();
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ended);
  const double ns =
      static_cast<double>(ended.tv_sec - began.tv_sec) * 1e9 + static_cast<double>(ended.tv_nsec - began.tv_nsec);
  return ns / 1e6 / kCalls;
}

template <class T>
void keep(const T& value) {
  asm volatile("" : : "r,m"(&value) : "memory");
}

// Of the operations that PROTOCOL.md 7 counts, in milliseconds, on this machine now.
struct Prices {
  double variable = 0, base = 0, small = 0, sum = 0, ecdh = 0, decompress = 0, sign = 0, verify = 0, proof = 0;
};

Prices measure_prices() {
  Random random(1);
  const auto secret = crypto::SecretScalar::random(random);
  const auto other = crypto::SecretScalar::random(random);
  const auto scalar = crypto::SecretScalar::random(random).publish();
  const auto point = crypto::multiply_generator(other).point();
  const auto bytes = point.bytes();
  const Hash32 message{1};
  const auto key = crypto::NodeKey::generate(random);
  const auto signature = key.sign(message);
  const crypto::DleqStatement statement{crypto::multiply_generator(secret).point(), point,
                                        crypto::multiply(secret, point).point(), crypto::Point::generator(), message};
  const auto proof = *crypto::prove_dleq(secret, statement, random.array<32>());
  const crypto::Element one(point);
  const crypto::Element two(crypto::multiply_generator(secret).point());
  Prices out;
  out.variable = cost_of_call([&] { keep(crypto::multiply(scalar, one)); });
  out.base = cost_of_call([&] { keep(crypto::multiply_generator(secret)); });
  out.small = cost_of_call([&] { keep(crypto::multiply(crypto::Scalar(97), one)); });
  out.sum = cost_of_call([&] { keep(one + two); });
  out.ecdh = cost_of_call([&] { keep(crypto::multiply_secretly(secret, point)); });
  out.decompress = cost_of_call([&] { keep(crypto::Point::parse(bytes)); });
  out.sign = cost_of_call([&] { keep(key.sign(message)); });
  out.verify = cost_of_call([&] { keep(crypto::recover(signature, message)); });
  out.proof = cost_of_call([&] { keep(crypto::verify_dleq(statement, proof)); });
  return out;
}

// PROTOCOL.md 7, row by row.
double limit_ms(const dkg::Threshold& sizes, std::uint32_t epoch, const Prices& price) {
  const double n = sizes.n(), t = sizes.t(), q = sizes.q();
  double out = kWindows * (16 * price.base + 8 * price.sign);                         // own prekeys
  out += kWindows * n * (8 * price.decompress + price.verify);                        // those of others
  out += n * 2 * price.verify;                                                        // a header
  out += (t + n) * price.ecdh;                                                        // making a Deal
  out += n * (t + 1) * price.decompress + n * price.verify + 4 * n * price.variable;  // what all see of n Deals
  out += n * price.ecdh;                                                              // opening one's shares
  out += n * t * (price.small + price.sum) + n * price.variable;                      // checking them
  out += n * t * (price.small + price.sum);                                           // the table
  out += (3 * n + q) * price.verify;                                                  // READY, votes, certificates
  out += 2 * n * price.verify + n * price.proof + (t + 4) * price.variable;           // ACTIVE, CONFIRM
  if (epoch == 0) return out;
  out += q * price.verify;                      // approvals
  out += t * t * (price.variable + price.sum);  // combining commitments
  out += (2 * n + q) * price.verify;            // fate
  return out;
}

double limit_kb(const dkg::Threshold& sizes, std::uint32_t epoch) {
  const double n = sizes.n(), t = sizes.t(), q = sizes.q();
  const double deal = 33 * t + 32 * n + 314;
  const double header = 227 * n + (epoch == 0 ? 0 : 67 * q) + 350;
  return (n * deal + header + (epoch == 0 ? 990 : 1350) * n + 4 * 67 * q) / 1000;
}

Draw draw_of(const CostQuestion& question) {
  Draw out;
  out.seed = 1;
  out.people = question.members;
  StageDraw stage;
  stage.committee.resize(question.members);
  std::iota(stage.committee.begin(), stage.committee.end(), 0u);
  stage.threshold = question.threshold;
  stage.storm.latency_min = kOneWay;
  stage.storm.latency_max = kOneWay;
  stage.calm_from = stage.end;
  out.stages = {stage, stage};
  return out;
}

void print_line(const dkg::Threshold& sizes, std::uint32_t epoch, const Meter& meter, double cpu_limit) {
  const auto members = static_cast<double>(meter.size());
  Reading all;
  Instant released{};
  for (const auto& [place, reading] : meter) {
    all.cpu_ms += reading.cpu_ms;
    all.bytes_said += reading.bytes_said;
    all.bytes_heard += reading.bytes_heard;
    all.bytes_beside += reading.bytes_beside;
    released = std::max(released, reading.released_at.value_or(Instant::max()));
  }
  const auto kb = [&](std::uint64_t bytes) { return static_cast<double>(bytes) / members / 1000; };
  const double heard = kb(all.bytes_heard);
  const double cpu = all.cpu_ms / members;
  std::printf("%-8s%8u%10u%12lld%10.1f%12.1f%10.1f%10.1f%7.2f%10.1f%10.1f%7.2f\n", epoch == 0 ? "DKG" : "reshare",
              sizes.n(), sizes.t(), static_cast<long long>(released.time_since_epoch() / 1ms),
              kb(all.bytes_said) * (members - 1), kb(all.bytes_beside), heard, limit_kb(sizes, epoch),
              heard / limit_kb(sizes, epoch), cpu, cpu_limit, cpu / cpu_limit);
  std::fflush(stdout);
}

}  // namespace

bool print_cost(const CostQuestion& question) {
  remember_crypto(Memory::off);
  auto prices = measure_prices();
  const auto sizes = dkg::Threshold::make(question.members, question.threshold).value();
  const auto draw = draw_of(question);
  Trace trace(nullptr, Trace::Form::deliveries);
  Chain chain(draw, trace);
  std::string violation;
  for (std::uint32_t epoch = 0; violation.empty() && epoch < draw.stages.size(); ++epoch) {
    Meter meter;
    chain.meter = &meter;
    Stage stage(chain, draw.stages[epoch], epoch);
    violation = stage.run();
    if (violation.empty()) {
      // What else the machine does changes meanwhile: prices from before and from after count alike.
      const auto later = measure_prices();
      print_line(sizes, epoch, meter, (limit_ms(sizes, epoch, prices) + limit_ms(sizes, epoch, later)) / 2);
      prices = later;
      stage.hand_over();
    }
  }
  remember_crypto(Memory::on);
  if (!violation.empty()) std::printf("%u of %u: %s\n", question.threshold, question.members, violation.c_str());
  return violation.empty();
}

void print_cost_head() {
  std::printf("%-8s%8s%10s%12s%10s%12s%10s%10s%7s%10s%10s%7s\n", "", "members", "threshold", "released ms", "sent kB",
              "beside kB", "heard kB", "counted", "ratio", "cpu ms", "counted", "ratio");
}

}  // namespace kms::sim
