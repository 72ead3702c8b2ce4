#include "bench/bare_link.h"

#include <algorithm>
#include <arpa/inet.h>
#include <cstring>
#include <memory>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "base/assert.h"
#include "net/noise.h"

namespace kms::bench {
namespace {

constexpr std::size_t kPlaintextBytes = net::kNoisePlaintextBytesMax;
constexpr std::size_t kLengthBytes = 2;
constexpr std::size_t kFrameBytes = kLengthBytes + kPlaintextBytes + net::kNoiseTagBytes;
constexpr std::size_t kReceiveBytes = 4 * kFrameBytes;

// OpenSSL without anything of ours around it.
class Cipher {
 public:
  explicit Cipher(int encrypts) : context_(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free) {
    const ByteArray<32> key{7};
    KMS_ASSERT(EVP_CipherInit_ex(context_.get(), EVP_chacha20_poly1305(), nullptr, key.data(), nullptr, encrypts) == 1);
  }
  // `out`: length, ciphertext, tag.
  void seal(ByteView plaintext, std::uint8_t* out) {
    start();
    const std::size_t length = plaintext.size() + net::kNoiseTagBytes;
    out[0] = static_cast<std::uint8_t>(length >> 8);
    out[1] = static_cast<std::uint8_t>(length);
    int size = 0;
    EVP_CipherUpdate(context_.get(), out + kLengthBytes, &size, plaintext.data(), static_cast<int>(plaintext.size()));
    std::uint8_t* tag = out + kLengthBytes + plaintext.size();
    KMS_ASSERT(EVP_CipherFinal_ex(context_.get(), tag, &size) == 1);
    KMS_ASSERT(EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_GET_TAG, net::kNoiseTagBytes, tag) == 1);
  }
  void open(std::uint8_t* sealed, std::size_t length, std::uint8_t* out) {
    start();
    const std::size_t plaintext = length - net::kNoiseTagBytes;
    int size = 0;
    KMS_ASSERT(EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_SET_TAG, net::kNoiseTagBytes, sealed + plaintext) ==
               1);
    EVP_CipherUpdate(context_.get(), out, &size, sealed, static_cast<int>(plaintext));
    KMS_ASSERT(EVP_CipherFinal_ex(context_.get(), out + plaintext, &size) == 1);
  }

 private:
  void start() {
    ByteArray<12> nonce{};
    std::memcpy(nonce.data() + 4, &counter_, sizeof counter_);
    ++counter_;
    KMS_ASSERT(EVP_CipherInit_ex(context_.get(), nullptr, nullptr, nullptr, nonce.data(), -1) == 1);
  }

  std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context_;
  std::uint64_t counter_ = 0;
};

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

void send_all(Lines& parent, std::uint64_t bytes) {
  const sockaddr_in address = loopback(static_cast<std::uint16_t>(std::stoi(parent.hear())));
  const int descriptor = ::socket(AF_INET, SOCK_STREAM, 0);
  KMS_ASSERT(::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  const int on = 1;
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  Cipher cipher(1);
  const Bytes plaintext(kPlaintextBytes, 0x5a);
  Bytes frame(kFrameBytes);
  const double began = processor_seconds();
  for (std::uint64_t left = bytes; left > 0;) {
    const std::size_t size = static_cast<std::size_t>(std::min<std::uint64_t>(left, kPlaintextBytes));
    cipher.seal(ByteView(plaintext).first(size), frame.data());
    const std::size_t whole = kLengthBytes + size + net::kNoiseTagBytes;
    for (std::size_t sent = 0; sent < whole;) {
      const ssize_t written = ::send(descriptor, frame.data() + sent, whole - sent, MSG_NOSIGNAL);
      KMS_ASSERT(written > 0);
      sent += static_cast<std::size_t>(written);
    }
    left -= size;
  }
  parent.say(std::to_string(processor_seconds() - began));
  ::close(descriptor);
}

Transfer receive_all(int descriptor, std::uint64_t bytes) {
  Transfer seen;
  Cipher cipher(0);
  Bytes received(kReceiveBytes), plaintext(kPlaintextBytes);
  std::size_t filled = 0;
  double began = 0, processor_began = 0;
  while (seen.bytes < bytes) {
    const ssize_t size = ::recv(descriptor, received.data() + filled, received.size() - filled, 0);
    KMS_ASSERT(size > 0);
    if (seen.bytes == 0 && filled == 0) {
      began = clock_seconds();
      processor_began = processor_seconds();
    }
    filled += static_cast<std::size_t>(size);
    std::size_t at = 0;
    while (filled - at >= kLengthBytes) {
      const std::size_t length = static_cast<std::size_t>(received[at] << 8 | received[at + 1]);
      if (filled - at < kLengthBytes + length) break;
      cipher.open(received.data() + at + kLengthBytes, length, plaintext.data());
      seen.bytes += length - net::kNoiseTagBytes;
      at += kLengthBytes + length;
    }
    std::memmove(received.data(), received.data() + at, filled - at);
    filled -= at;
  }
  seen.seconds = clock_seconds() - began;
  seen.receiver_seconds = processor_seconds() - processor_began;
  return seen;
}

}  // namespace

Transfer measure_bare_link(std::uint64_t bytes) {
  Child child([bytes](Lines& parent) { send_all(parent, bytes); });
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  KMS_ASSERT(::bind(listener, reinterpret_cast<const sockaddr*>(&address), size) == 0 && ::listen(listener, 1) == 0);
  KMS_ASSERT(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  child.lines().say(std::to_string(ntohs(address.sin_port)));
  const int descriptor = ::accept(listener, nullptr, nullptr);
  KMS_ASSERT(descriptor >= 0);
  Transfer seen = receive_all(descriptor, bytes);
  seen.sender_seconds = std::stod(child.lines().hear());
  ::close(descriptor);
  ::close(listener);
  return seen;
}

}  // namespace kms::bench
